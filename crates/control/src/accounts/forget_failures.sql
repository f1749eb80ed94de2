delete from control.sign_in_attempt
where scope = 'account' and subject = $1
