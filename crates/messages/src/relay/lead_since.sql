update messages.relay set leader = $1, leader_since = $2 returning seq
