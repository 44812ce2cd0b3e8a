"""Commands as a named account of Windows with all its rights: by a scheduled task, as Packer does it.

The task's output goes to a file, which is read while it grows. The password comes by the input, so that it
is neither an argument nor in a file of the guest.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection

from core.builds.provisioners.commands import ended_well, take_away
from core.builds.provisioners.windows import FOLDER
from core.guests.base import Guest, Output, Ran
from core.guests.winrm.powershell import encoded, quote
from core.model.work import Work

_TASK = """
$ErrorActionPreference = 'Stop'
$password = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))
$logon = 1
if (-not $password) {{ $password = $null; $logon = 5 }}
$service = New-Object -ComObject Schedule.Service
$service.Connect()
$task = $service.NewTask(0)
$task.Principal.RunLevel = 1
$task.Settings.ExecutionTimeLimit = 'PT0S'
$task.Settings.DisallowStartIfOnBatteries = $false
$task.Settings.StopIfGoingOnBatteries = $false
$action = $task.Actions.Create(0)
$action.Path = 'cmd.exe'
$action.Arguments = {arguments}
$folder = $service.GetFolder('\\')
$made = $folder.RegisterTaskDefinition({name}, $task, 6, {user}, $password, $logon)
$out = [Console]::OpenStandardOutput()
$at = 0
try {{
  [void]$made.Run($null)
  $until = (Get-Date).AddSeconds(60)
  do {{
    Start-Sleep -Milliseconds 100
    $code = $made.LastTaskResult
    if ($code -eq 267011 -and (Get-Date) -gt $until) {{ throw 'The scheduled task did not start.' }}
    $over = 2, 4 -notcontains $made.State -and 267009, 267011, 267045 -notcontains $code
    if (Test-Path {log}) {{
      $file = [IO.File]::Open({log}, 'Open', 'Read', 'ReadWrite')
      try {{
        [void]$file.Seek($at, 'Begin')
        $file.CopyTo($out)
        $at = $file.Position
      }} finally {{ $file.Close() }}
      $out.Flush()
    }}
  }} until ($over)
}} finally {{ $folder.DeleteTask({name}, 0) }}
exit $made.LastTaskResult
"""
"""1 and 5 log on by a password and as an account of services, 6 makes or replaces. A task is queued in
state 2 and runs in 4; its result is 267011 before it runs, 267009 while it does, 267045 in a queue."""


async def execute(
    command: str,
    user: str,
    password: str,
    called: str,
    guest: Guest,
    work: Work,
    *,
    allowed: Collection[int] = (0,),
) -> None:
    """Run a command line of cmd as ``user``. ``password``: "" for an account of services, such as SYSTEM.

    Raises ProvisionError with the last lines that it wrote.
    """
    name = f"boxwright-{secrets.token_hex(6)}"
    log = f"{FOLDER}/{name}.log".replace("/", "\\")
    script = _TASK.format(
        arguments=quote(f'/c "{command} > "{log}" 2>&1"'), name=quote(name), user=quote(user), log=quote(log)
    )

    given = base64.b64encode(password.encode()) + b"\r\n"

    async def run(output: Output) -> Ran:
        return await guest.run(encoded(script), stdin=given, stdout=output, stderr=output)

    try:
        remedy = "restart the guest by the provisioner windows-restart"
        await ended_well(run, called, work, allowed=allowed, disconnect=False, remedy=remedy)
    finally:
        # The task runs on where PowerShell was ended, and Windows forgets no task by itself.
        gone = f'schtasks /end /tn "{name}" & schtasks /delete /f /tn "{name}"'
        await take_away(guest, f'{gone} & del /f /q "{log}"')
