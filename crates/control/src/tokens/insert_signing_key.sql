insert into control.signing_key (kid, public_x, sealed_private, signs_from, created_at)
values ($1, $2, $3, $4, $5)
