"""The completion script for bash.

Strategy: two tables as ``case`` statements (what a command offers; what an option or argument
takes) and a reader that follows the words to where the cursor is. Bash does not quote what a
completion offers: names are put through ``printf %q``, and inside an open quote only those are
offered that mean the same there.
"""

from __future__ import annotations

from darkai_cli.cli.completion.spec import (
    CompletionCommand,
    fill,
    indent,
    posix_quote,
    value_text,
    values,
    walk,
)

_SCRIPT = r"""# bash completion for darkai. Made by `darkai completions bash`; do not edit.
#
# Written for bash 3.2 and later, with or without the bash-completion package.

_darkai_offers() {
    # What command $1 offers.
    commands='' options=''
    case $1 in
<<commands>>
    esac
}

_darkai_value() {
    # What option $2 of command $1 takes, or what its argument number $2 is.
    kind=''
    case "$1 $2" in
<<values>>
    esac
}

_darkai_split() {
    # The words before the cursor, and the current one as far as the cursor. Bash cuts words at the
    # characters of COMP_WORDBREAKS: put a:b and --model=a together again.
    local line piece blank index breaks=0 glue=0
    if [[ -n ${COMP_LINE-} ]]; then
        line=${COMP_LINE:0:COMP_POINT}
    else
        line="${COMP_WORDS[*]:0:COMP_CWORD+1}"
    fi
    for ((index = 0; index <= COMP_CWORD; index++)); do
        piece=${COMP_WORDS[index]-}
        blank=${line%%[![:space:]]*}
        line=${line#"$blank"}
        if ((index == COMP_CWORD)) && [[ $piece == "$line"* ]]; then
            piece=$line
        fi
        line=${line#"$piece"}
        glue=$breaks breaks=0
        if [[ -n $piece && -z ${piece//[:=@]/} ]]; then
            breaks=1
        fi
        if ((index && (glue || breaks))) && [[ -z $blank ]]; then
            current+=$piece
        else
            ((index)) && words+=("$current")
            current=$piece
        fi
    done
}

_darkai_read() {
    # Follow the words to the command, the argument or the option's value that comes next.
    local word letters ended=0
    _darkai_offers "$path"
    for word in "${words[@]:1}"; do
        if [[ -n $expected ]]; then
            expected=''
        elif [[ $word == [\<\>] || $word == '>>' || $word == '>|' || $word == '&>' ]]; then
            expected='file'
        elif [[ $ended == 0 && $word == -- ]]; then
            ended=1 options=''
        elif [[ $ended == 0 && $word == --* ]]; then
            _darkai_value "$path" "$word"
            expected=$kind
        elif [[ $ended == 0 && $word == -?* ]]; then
            letters=${word#-}
            while [[ -n $letters && -z $expected ]]; do
                _darkai_value "$path" "-${letters:0:1}"
                letters=${letters:1}
                expected=$kind
            done
            if [[ -n $letters ]]; then
                expected=''
            fi
        elif [[ $position == 1 && " $commands " == *" $word "* ]]; then
            path="$path $word"
            _darkai_offers "$path"
        else
            position=$((position + 1))
        fi
    done
    if [[ $ended == 1 && -z $expected ]]; then
        expected=argument
    fi
}

_darkai_offer() {
    # Offer name $1 if it begins as typed: quoted, without what is before readline's own word.
    local name="$given$1"
    [[ $1 == "$typed"* ]] || return 0
    name=${name:skip}
    if [[ -n $quote ]]; then
        [[ $name == *[\'\"\`\$\!\\]* ]] && return 0
    else
        printf -v name %q "$name"
    fi
    COMPREPLY+=("$name")
}

_darkai() {
    local IFS=$' \t\n'
    local path=darkai position=1 expected='' kind='' commands='' options=''
    local current='' given='' typed='' skip=0 quote='' word
    local -a words
    words=()
    COMPREPLY=()
    _darkai_split
    _darkai_read
    if [[ -z $expected && $current == --*=* ]]; then
        given=${current%%=*}=
        _darkai_value "$path" "${given%=}"
        expected=${kind:-none}
    elif [[ -z $expected && $current == -[!-]?* ]]; then
        _darkai_value "$path" "${current:0:2}"
        if [[ -n $kind ]]; then
            given=${current:0:2} expected=$kind
        fi
    fi
    if [[ -z $expected && $current == -* ]]; then
        expected="words $options"
    elif [[ -z $expected && -n $commands && $position == 1 ]]; then
        expected="words $commands"
    elif [[ -z $expected || $expected == argument ]]; then
        _darkai_value "$path" "$position"
        expected=$kind
    fi
    typed=${current:${#given}}
    word=''
    if [[ $current == *"$2" ]]; then
        word=${current:0:${#current}-${#2}}
    fi
    word=${word//[\\\'\"]/}
    skip=${#word}
    if [[ $typed == [\'\"]* ]]; then
        quote=${typed:0:1} typed=${typed:1}
    else
        typed=${typed//\\/}
    fi
    case $expected in
        words*)
            for word in ${expected#words}; do
                _darkai_offer "$word"
            done
            ;;
        model | provider)
            while IFS= read -r word; do
                _darkai_offer "$word"
            done < <(command darkai completions --names "${expected}s" 2>/dev/null </dev/null)
            ;;
        file) compopt -o default 2>/dev/null ;;
        folder) compopt -o dirnames 2>/dev/null ;;
    esac
    return 0
}

if type compopt >/dev/null 2>&1; then
    complete -F _darkai darkai
else
    complete -o default -F _darkai darkai
fi
"""


def script(root: CompletionCommand) -> str:
    """Return the script for the commands below ``root``."""
    offers, cases = [], []
    for command in walk(root):
        path = posix_quote(" ".join(command.path))
        names = " ".join(inner.path[-1] for inner in command.commands)
        options = " ".join(name for option in command.options for name in option.names)
        offers.append(f"{path}) commands={posix_quote(names)} options={posix_quote(options)} ;;")
        for patterns, value in values(command):
            pattern = " | ".join(map(posix_quote, patterns))
            cases.append(f"{pattern}) kind={posix_quote(value_text(value))} ;;")
        if command.rest is not None and command.rest.kind != "text":
            pattern = f"{posix_quote(' '.join(command.path) + ' ')}[1-9]*"
            cases.append(f"{pattern}) kind={posix_quote(value_text(command.rest))} ;;")
    return fill(_SCRIPT, commands=indent(8, offers), values=indent(8, cases))
