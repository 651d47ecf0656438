// answers: Begins an erasure, unless it was begun: the account is hidden, and recognised from now on. Under the version lock.
// parameter: id STRING id of the erasure
// parameter: digest STRING digest of the account's key
// parameter: check STRING digest by which the secret key is known
// parameter: key STRING the account's key
// parameter: handle STRING its handle, null where unknown
// parameter: asked_at INTEGER when it was asked for, in milliseconds since 1970 UTC
// parameter: v INTEGER graph version of this change
// column: state STRING removing, or done where it was carried out before
// column: handle STRING handle of the account, null where it has none
// mode: write
// index: graph_id
// index: erasure_id
// index: erased_digest
// index: account_key
MATCH (g:Graph {id: 1})
MERGE (e:Erasure {id: $id})
ON CREATE SET
  e.state = 'removing', e.key = $key, e.handle = $handle, e.asked_at = datetime({epochMillis: $asked_at}),
  e.begun_at = datetime(), e.removed = '{}', e.machines = []
MERGE (d:Erased {digest: $digest})
ON CREATE SET d.v = $v
SET
  g.erasure_checks =
    CASE WHEN $check IN coalesce(g.erasure_checks, []) THEN g.erasure_checks
    ELSE coalesce(g.erasure_checks, []) + $check END
WITH e
OPTIONAL MATCH (a:Account {key: $key})
SET a.opted_out = true, a.v = $v
SET e.handle = coalesce(a.handle, e.handle)
RETURN e.state AS state, e.handle AS handle
