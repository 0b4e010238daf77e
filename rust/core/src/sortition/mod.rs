//! Panels that meet every quota, and the weights that make a lottery of them.
