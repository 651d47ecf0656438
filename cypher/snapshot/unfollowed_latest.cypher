// answers: When was the latest unfollow?
// column: latest INTEGER in milliseconds since 1970 UTC, -1 where there is none
// mode: read
// index: unfollowed_v
MATCH (:Account)-[u:UNFOLLOWED]->(:Account)
USING INDEX u:UNFOLLOWED(v)
WHERE u.v >= 0
RETURN coalesce(max(u.at.epochMillis), -1) AS latest
