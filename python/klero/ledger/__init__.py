"""How can anyone, years later, recheck a lottery and its draw?

Bundles: their bytes (:mod:`~klero.ledger.canonical`), their files (:mod:`~klero.ledger.bundle`), their folder
(:mod:`~klero.ledger.folder`), the draw that they lead to (:mod:`~klero.ledger.draw`) and the checks
(:mod:`~klero.ledger.verify`). The format is `docs/audit/bundle.md`.
"""
