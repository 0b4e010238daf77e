"""Themes, slowly: the steps of the engine after rows became whole numbers, each in the plainest way.

For vectors of at most 64 numbers, which are not reduced.
"""

from __future__ import annotations

import math

import numpy as np

from klero import _native

UNIT = 32767
ONE = UNIT * UNIT
APART = -(2**31)
ALWAYS = 2**31 - 1
THEME = 5


def points_of(X: np.ndarray) -> tuple[list[list[int]], list[int], list[int]]:
    """Distinct rows as whole numbers in canonical order, how often each is there, and the point of each row."""
    X = np.ascontiguousarray(X, np.float32)
    points = _native.vectors_points(X, *X.shape, centre=True, threads=1)
    first = np.frombuffer(points.first, np.uint32).tolist()
    rows = np.frombuffer(points.q15(first), np.int16).reshape(len(first), -1).astype(int).tolist()
    copies = np.frombuffer(points.copies, np.uint32).tolist()
    return rows, copies, np.frombuffer(points.point, np.uint32).tolist()


def dot(a: list[int], b: list[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def nearest(rows: list[list[int]], k: int) -> list[list[tuple[int, int]]]:
    """(similarity, point) of the k nearest others, nearest first, ties by lower point."""
    found = []
    for i, row in enumerate(rows):
        others = [(-dot(row, other), j) for j, other in enumerate(rows) if j != i]
        found.append([(-s, j) for s, j in sorted(others)[:k]])
    return found


def rounded(numbers: list[int]) -> list[int]:
    """A row of length 32767, by 64-bit floats in the order in which the engine takes them."""
    total = 0.0
    for x in numbers:
        total += float(x) * float(x)
    length = math.sqrt(total)
    if length == 0:
        return [0] * len(numbers)
    factor = UNIT / length
    return [round(x * factor) for x in numbers]


def smoothed(rows: list[list[int]], near: list[list[tuple[int, int]]]) -> list[list[int]]:
    moved = []
    for row, neighbours in zip(rows, near, strict=True):
        total = [x << 11 for x in row]
        for s, j in neighbours[:10]:
            if s > 0:
                ratio = (s << 10) // max(1, neighbours[0][0])
                weight = ratio**4 >> 30
                total = [x + weight * y for x, y in zip(total, rows[j], strict=True)]
        moved.append(rounded(total))
    return moved


class Groups:
    """Groups by their lowest point."""

    def __init__(self, rows, copies, edges, must, cannot) -> None:
        self.m = len(rows)
        self.sums = {i: [c * x for x in row] for i, (row, c) in enumerate(zip(rows, copies, strict=True))}
        self.weight = dict(enumerate(copies))
        self.node = {i: i for i in range(self.m)}
        self.members = {i: {i} for i in range(self.m)}
        self.near: dict[int, set[int]] = {i: set() for i in range(self.m)}
        self.cannot = cannot
        self.merges: list[tuple[int, int, int]] = []
        for a, b in must:
            a, b = self.of(a), self.of(b)
            if a != b:
                self.unite([min(a, b), max(a, b)], ALWAYS)
        for a, b in edges:
            a, b = self.of(a), self.of(b)
            if a != b:
                self.near[a].add(b)
                self.near[b].add(a)

    def of(self, point: int) -> int:
        return next(group for group, members in self.members.items() if point in members)

    def link(self, a: int, b: int) -> int:
        return dot(self.sums[a], self.sums[b]) // (self.weight[a] * self.weight[b])

    def parted(self, a: int, b: int) -> bool:
        return any({self.of(x), self.of(y)} == {a, b} for x, y in self.cannot)

    def best(self, a: int) -> int | None:
        free = [b for b in self.near[a] if not self.parted(a, b)]
        return min(free, key=lambda b: (-self.link(a, b), b), default=None)

    def unite(self, groups: list[int], link: int | None = None) -> None:
        host, *rest = groups
        total, weight, node = self.sums[host], self.weight[host], self.node[host]
        for other in rest:
            average = dot(total, self.sums[other]) // (weight * self.weight[other])
            self.merges.append((node, self.node[other], average if link is None else link))
            node = self.m + len(self.merges) - 1
            total = [x + y for x, y in zip(total, self.sums[other], strict=True)]
            weight += self.weight[other]
        root = min(groups)
        near = set().union(*(self.near[group] for group in groups)) - set(groups)
        members = set().union(*(self.members[group] for group in groups))
        for group in groups:
            for table in (self.sums, self.weight, self.node, self.members, self.near):
                table.pop(group)
        self.sums[root], self.weight[root], self.node[root] = total, weight, node
        self.members[root], self.near[root] = members, near
        for other in self.near:
            if other != root and self.near[other] & set(groups):
                self.near[other] = (self.near[other] - set(groups)) | {root}

    def round(self) -> bool:
        best = {a: self.best(a) for a in self.sums}
        paired = {a for a, b in best.items() if b is not None and best[b] == a}

        def taken(a: int) -> bool:
            return a not in paired and best[a] is not None and 8 * self.weight[a] <= self.weight[best[a]]

        def heavier(a: int, b: int) -> int:
            return min(a, b, key=lambda g: (-self.weight[g], g))

        unions = {}
        for a in paired:
            host = heavier(a, best[a])
            unions[host] = [host, best[host]]
        small = {}
        for a in sorted(self.sums):
            if taken(a) and not taken(best[a]):
                c = best[a]
                host = heavier(c, best[c]) if c in paired else c
                small.setdefault(host, []).append((-self.link(a, c), a))
        for host, candidates in small.items():
            union, room = unions.setdefault(host, [host]), self.weight[host] // 8
            for _, a in sorted(candidates):
                if self.weight[a] <= room and not any(self.parted(a, other) for other in union):
                    room -= self.weight[a]
                    union.append(a)
        joined = sorted((union for union in unions.values() if len(union) > 1), key=min)
        for union in joined:
            self.unite(union)
        return bool(joined)

    def run(self, k: int) -> list[tuple[int, int, int]]:
        bridged = False
        while True:
            before = len(self.merges)
            while self.round():
                pass
            if len(self.sums) == 1:
                return self.merges
            if bridged and len(self.merges) == before:
                self.unite(sorted(self.sums), APART)
                return self.merges
            alive = sorted(self.sums)
            for a, near in zip(alive, nearest([rounded(self.sums[a]) for a in alive], 15), strict=True):
                for _, j in near:
                    self.near[a].add(alive[j])
                    self.near[alive[j]].add(a)
            bridged = True


def linkage(rows, copies, near, must=(), cannot=()) -> list[tuple[int, int, int]]:
    edges = [(i, j) for i, neighbours in enumerate(near) for _, j in neighbours]
    return Groups(rows, copies, edges, must, cannot).run(15)


def cut(m: int, merges: list[tuple[int, int, int]], link: int) -> list[int]:
    """The group of each point, by the lowest point in it: a merge counts if it and all within it are alike enough."""
    groups: list[set[int] | None] = [{i} for i in range(m)]
    height = [2**31] * m
    for a, b, s in merges:
        height.append(min(s, height[a], height[b]))
        together = height[-1] >= link
        groups.append(groups[a] | groups[b] if together else None)
    of = list(range(m))
    for group in groups:  # later groups hold earlier ones
        for i in group or ():
            of[i] = min(group)
    return of


def second_look(rows, copies, near, tied, of: list[int], link: int) -> list[int]:
    sizes: dict[int, int] = {}
    for i, group in enumerate(of):
        sizes[group] = sizes.get(group, 0) + copies[i]
    company = {}
    for i, group in enumerate(of):
        if sizes[group] >= THEME:
            asked = min(15, sizes[group] - 1, max(1, len(near[i])))
            own = min(copies[i] - 1, asked)
            company[i] = (own * ONE + sum(s for s, _ in near[i][: asked - own])) // max(1, asked)
    if not company:
        return of
    ordered = sorted(company.values())
    median, upper = ordered[len(ordered) * 500 // 1000], ordered[len(ordered) * 841 // 1000]
    least = median - (upper - median) * 13 // 10
    far = sorted((c, i) for i, c in company.items() if c < least and not tied[i] and copies[i] < THEME)
    room, leaving = sum(copies) // 20, []
    for _, i in far:
        if copies[i] > room:
            break
        room -= copies[i]
        leaving.append(i)
    leaving.sort()
    if not leaving:
        return of
    own_rows, own_copies = [rows[i] for i in leaving], [copies[i] for i in leaving]
    own = cut(
        len(leaving), linkage(own_rows, own_copies, nearest(own_rows, 15)), max(link, min(ONE, median), 0)
    )
    moved: list[object] = list(of)
    for i, group in zip(leaving, own, strict=True):
        moved[i] = ("left", group)
    lowest: dict[object, int] = {}
    for i, group in enumerate(moved):
        lowest.setdefault(group, i)
    return [lowest[group] for group in moved]


def themes(X: np.ndarray, link: int, *, k: int = 15, minority: bool = True, must=(), cannot=()) -> list[int]:
    """The label of each row, numbered as `Partition.labels` are."""
    rows, copies, point = points_of(X)
    near = nearest(rows, k)
    tied = [False] * len(rows)
    must, cannot = ([(point[a], point[b]) for a, b in pairs] for pairs in (must, cannot))
    for a, b in [*must, *cannot]:
        tied[a] = tied[b] = True
    merges = linkage(smoothed(rows, near), copies, near, must, cannot)
    of = cut(len(rows), merges, link)
    if minority:
        of = second_look(rows, copies, near, tied, of, link)
    sizes: dict[int, int] = {}
    for i, group in enumerate(of):
        sizes[group] = sizes.get(group, 0) + copies[i]
    order = sorted(sizes, key=lambda group: (-sizes[group], group))
    return [order.index(of[p]) for p in point]


def lives_at(
    children: list[tuple[int, int]], links: list[int], sizes: list[int], m: int, weights: list[int], link: int
):
    """The top node of each group at a cut and, for themes, the life of the theme; walking up and down the tree."""
    size = [*weights, *sizes]
    parent = {}
    for at, pair in enumerate(children):
        for child in pair:
            parent[child] = m + at
    tops = [
        node
        for node in range(m + len(children))
        if (node < m or links[node - m] >= link) and (node not in parent or links[parent[node] - m] < link)
    ]

    def life(node: int) -> int:
        if size[node] < THEME or node < m:
            return 0
        low = node
        while True:
            a, b = children[low - m]
            big = [child for child in (a, b) if size[child] >= THEME]
            if len(big) != 1 or big[0] < m:
                break
            low = big[0]
        high = node
        while high in parent:
            above = parent[high]
            sibling = next(child for child in children[above - m] if child != high)
            if size[sibling] >= THEME:
                return links[low - m] - links[above - m]
            high = above
        return 0

    return tops, size, life


def levels(children, links, sizes, m, weights) -> list[tuple[int, int]]:
    """(link, persistence) of the levels, coarse to fine."""
    cuts = []
    for link in sorted(set(links)):
        tops, size, life = lives_at(children, links, sizes, m, weights, link)
        themes = sum(size[top] >= THEME for top in tops)
        if themes > 1:
            cuts.append((link, themes, sum(size[top] * life(top) for top in tops) // sum(weights)))
    most = max((themes for _, themes, _ in cuts), default=0)
    end = next((at for at, cut in enumerate(cuts) if cut[1] == most), -1)
    cuts = cuts[: end + 1]

    def best(low: float, high: float):
        among = [cut for cut in cuts if low <= cut[1] <= high]
        return max(among, key=lambda cut: (cut[2], -cut[0]), default=None)

    middle = best(2, math.inf)
    if middle is None:
        return []
    found = [middle]
    for _ in range(2):
        coarser = best(max(2, found[0][1] // 4), found[0][1] // 2)
        if coarser and coarser[0] < found[0][0]:
            found.insert(0, coarser)
        finer = best(2 * found[-1][1], 4 * found[-1][1])
        if finer and finer[0] > found[-1][0]:
            found.append(finer)
    return [(link, persistence) for link, _, persistence in found]
