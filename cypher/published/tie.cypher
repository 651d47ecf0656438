// answers: One tie as the graph has it now, with both accounts: for whoever wants to see what evidence rests on.
// parameter: follower STRING key of who follows or engages
// parameter: followee STRING key of whom
// column: a NODE who follows or engages
// column: r RELATIONSHIP the follow, or the interactions of a day
// column: b NODE whom
// mode: read
// index: account_key
MATCH (a:Account {key: $follower})-[r:FOLLOWS|ENGAGED]->(b:Account {key: $followee})
RETURN a, r, b
