// answers: Which of these digests are of something that was erased?
// parameter: digests LIST<STRING> digests
// column: digest STRING one of them
// mode: read
// index: erased_digest
UNWIND $digests AS digest
MATCH (e:Erased {digest: digest})
RETURN e.digest AS digest
