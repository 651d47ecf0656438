// answers: Makes a key of the HTTP API.
// parameter: id STRING the part of the key that may be shown
// parameter: name STRING what it is called
// parameter: scopes LIST<STRING> what it may do
// parameter: brands LIST<STRING> keys of the brands it may see; null for all
// parameter: sha256 STRING SHA-256 of the key, in hexadecimal
// parameter: created_at INTEGER when it was made, in milliseconds since 1970 UTC
// mode: write
CREATE (:ApiKey {
  id: $id, name: $name, scopes: $scopes, brands: $brands, sha256: $sha256,
  created_at: datetime({epochMillis: $created_at})
})
