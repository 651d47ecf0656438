// answers: Keeps the digest of something that was erased.
// parameter: digest STRING the digest
// parameter: v INTEGER graph version of this change
// mode: write
// index: erased_digest
MERGE (e:Erased {digest: $digest})
ON CREATE SET e.v = $v
