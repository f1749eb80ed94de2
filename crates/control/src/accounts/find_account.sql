select id, generation, platform_role, case when active then password end
from control.account
where email = $1
