"""The scripts that shells source. Each asks ``boxwright __complete WORDS`` for candidates.

The answer has a line for each candidate: the word, a tab, what it is. A line ``:files`` or ``:folders``
asks the shell for its own completion of paths.
"""

from __future__ import annotations

_BASH = r"""# Completion of boxwright for bash: source <(boxwright completion bash)
_boxwright() {
    local -a words=()
    local part joined="" candidate rest
    # Bash cuts words at ':' and '=' too: put them together again.
    local index
    for ((index = 1; index <= COMP_CWORD; index++)); do
        part="${COMP_WORDS[index]}"
        if [[ -n "$joined" && ( "$part" == [:=]* || "$joined" == *[:=] ) && ${#words[@]} -gt 0 ]]; then
            words[${#words[@]} - 1]+="$part"
        else
            words+=("$part")
        fi
        joined="${words[${#words[@]} - 1]}"
    done
    local current="${words[${#words[@]} - 1]}"
    # What bash will put the answer behind.
    local before="${current%"${current##*[:=]}"}"
    [[ "$current" == *[:=]* ]] || before=""
    COMPREPLY=()
    while IFS=$'\t' read -r candidate rest; do
        case "$candidate" in
            :files) compopt -o default; return ;;
            :folders) compopt -o dirnames; return ;;
            "$current"*) COMPREPLY+=("$(printf '%q' "${candidate#"$before"}")") ;;
        esac
    done < <(boxwright __complete "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *: ]]; then
        compopt -o nospace
    fi
}
complete -F _boxwright boxwright
"""

_ZSH = r"""#compdef boxwright
# Completion of boxwright for zsh: source <(boxwright completion zsh)
_boxwright() {
    local -a found
    local line
    while IFS= read -r line; do
        case "$line" in
            :files) _files; return ;;
            :folders) _files -/; return ;;
        esac
        local word="${line%%$'\t'*}" what="${line#*$'\t'}"
        found+=("${word//:/\\:}:$what")
    done < <(boxwright __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    _describe -V 'boxwright' found
}
if [[ "${funcstack[1]}" == _boxwright ]]; then
    _boxwright "$@"
else
    compdef _boxwright boxwright
fi
"""

_FISH = r"""# Completion of boxwright for fish: boxwright completion fish | source
function __boxwright_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (boxwright __complete $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c boxwright -e
complete -c boxwright -f -a '(__boxwright_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
