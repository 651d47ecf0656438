// Schema: of an erased account a keyed digest is kept, by which a late event is recognised, and a receipt.
CREATE CONSTRAINT erased_digest IF NOT EXISTS FOR (e:Erased) REQUIRE e.digest IS UNIQUE;
CREATE CONSTRAINT erasure_id IF NOT EXISTS FOR (e:Erasure) REQUIRE e.id IS UNIQUE;
CREATE INDEX erasure_key IF NOT EXISTS FOR (e:Erasure) ON (e.key);
CREATE INDEX account_erasure_asked_at IF NOT EXISTS FOR (a:Account) ON (a.erasure_asked_at);
CALL db.awaitIndexes(300);
