"""Guests with Windows, over WinRM: commands of cmd and PowerShell, files, and waiting for an answer."""
