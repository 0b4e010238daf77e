"""klero: fair, verifiable lotteries for public participation."""
