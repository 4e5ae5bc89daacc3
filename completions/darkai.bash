# bash completion for darkai. Made by `darkai completions bash`; do not edit.
#
# Written for bash 3.2 and later, with or without the bash-completion package.

_darkai_offers() {
    # What command $1 offers.
    commands='' options=''
    case $1 in
        'darkai') commands='ask chat models history config keys replay doctor completions' options='--version -h --help' ;;
        'darkai ask') commands='' options='-m --model -p --provider -s --system -f --file -o --option -c --continue --conversation --resume --no-save --raw --json -x --extract --output --no-stream --plain --reasoning --proxy --timeout --retries --max-wait --no-fallback --no-stdin --record --dry-run -q --quiet -v --verbose --debug -h --help' ;;
        'darkai chat') commands='' options='-m --model -p --provider -s --system -f --file -o --option -c --continue --conversation --no-save --plain --reasoning --proxy --timeout --retries --max-wait --no-fallback -q --quiet -v --verbose --debug -h --help' ;;
        'darkai models') commands='list show default alias' options='--json --refresh -p --provider -h --help' ;;
        'darkai models list') commands='' options='--json --refresh -p --provider -h --help' ;;
        'darkai models show') commands='' options='--json --refresh -h --help' ;;
        'darkai models default') commands='' options='-h --help' ;;
        'darkai models alias') commands='' options='--rm --json -h --help' ;;
        'darkai history') commands='list show search tree diff rename rm stats export import path vacuum check' options='--limit --since -m --model --state --json -h --help' ;;
        'darkai history list') commands='' options='--limit --since -m --model --state --json -h --help' ;;
        'darkai history show') commands='' options='--turn --raw --reasoning --json -h --help' ;;
        'darkai history search') commands='' options='--limit --since --json -h --help' ;;
        'darkai history tree') commands='' options='-h --help' ;;
        'darkai history diff') commands='' options='--branch -h --help' ;;
        'darkai history rename') commands='' options='-h --help' ;;
        'darkai history rm') commands='' options='--older-than -y --yes -h --help' ;;
        'darkai history stats') commands='' options='--since --json -h --help' ;;
        'darkai history export') commands='' options='--all --format --output -h --help' ;;
        'darkai history import') commands='' options='-h --help' ;;
        'darkai history path') commands='' options='-h --help' ;;
        'darkai history vacuum') commands='' options='-h --help' ;;
        'darkai history check') commands='' options='--repair -h --help' ;;
        'darkai config') commands='show get set unset edit path trust' options='--json -h --help' ;;
        'darkai config show') commands='' options='--json -h --help' ;;
        'darkai config get') commands='' options='-h --help' ;;
        'darkai config set') commands='' options='-h --help' ;;
        'darkai config unset') commands='' options='-h --help' ;;
        'darkai config edit') commands='' options='-h --help' ;;
        'darkai config path') commands='' options='-h --help' ;;
        'darkai config trust') commands='' options='-h --help' ;;
        'darkai keys') commands='set list rm path' options='--json -h --help' ;;
        'darkai keys set') commands='' options='--keyring -h --help' ;;
        'darkai keys list') commands='' options='--json -h --help' ;;
        'darkai keys rm') commands='' options='-h --help' ;;
        'darkai keys path') commands='' options='-h --help' ;;
        'darkai replay') commands='' options='--speed --instant --raw --json -x --extract --output --no-stream --plain --reasoning -q --quiet -v --verbose -h --help' ;;
        'darkai doctor') commands='' options='--deep --json -h --help' ;;
        'darkai completions') commands='' options='-h --help' ;;
    esac
}

_darkai_value() {
    # What option $2 of command $1 takes, or what its argument number $2 is.
    kind=''
    case "$1 $2" in
        'darkai ask -m' | 'darkai ask --model') kind='model' ;;
        'darkai ask -p' | 'darkai ask --provider') kind='provider' ;;
        'darkai ask -s' | 'darkai ask --system') kind='text' ;;
        'darkai ask -f' | 'darkai ask --file') kind='file' ;;
        'darkai ask -o' | 'darkai ask --option') kind='text' ;;
        'darkai ask --conversation') kind='text' ;;
        'darkai ask --output') kind='file' ;;
        'darkai ask --reasoning') kind='words show fold hide' ;;
        'darkai ask --proxy') kind='text' ;;
        'darkai ask --timeout') kind='text' ;;
        'darkai ask --retries') kind='text' ;;
        'darkai ask --max-wait') kind='text' ;;
        'darkai ask --record') kind='file' ;;
        'darkai chat -m' | 'darkai chat --model') kind='model' ;;
        'darkai chat -p' | 'darkai chat --provider') kind='provider' ;;
        'darkai chat -s' | 'darkai chat --system') kind='text' ;;
        'darkai chat -f' | 'darkai chat --file') kind='file' ;;
        'darkai chat -o' | 'darkai chat --option') kind='text' ;;
        'darkai chat --conversation') kind='text' ;;
        'darkai chat --reasoning') kind='words show fold hide' ;;
        'darkai chat --proxy') kind='text' ;;
        'darkai chat --timeout') kind='text' ;;
        'darkai chat --retries') kind='text' ;;
        'darkai chat --max-wait') kind='text' ;;
        'darkai models -p' | 'darkai models --provider') kind='provider' ;;
        'darkai models list -p' | 'darkai models list --provider') kind='provider' ;;
        'darkai models show 1') kind='model' ;;
        'darkai models default 1') kind='model' ;;
        'darkai models alias --rm') kind='text' ;;
        'darkai models alias 1') kind='text' ;;
        'darkai models alias 2') kind='model' ;;
        'darkai history --limit') kind='text' ;;
        'darkai history --since') kind='text' ;;
        'darkai history -m' | 'darkai history --model') kind='model' ;;
        'darkai history --state') kind='words streaming complete interrupted truncated failed' ;;
        'darkai history list --limit') kind='text' ;;
        'darkai history list --since') kind='text' ;;
        'darkai history list -m' | 'darkai history list --model') kind='model' ;;
        'darkai history list --state') kind='words streaming complete interrupted truncated failed' ;;
        'darkai history show --turn') kind='text' ;;
        'darkai history show --reasoning') kind='words show fold hide' ;;
        'darkai history show 1') kind='text' ;;
        'darkai history search --limit') kind='text' ;;
        'darkai history search --since') kind='text' ;;
        'darkai history tree 1') kind='text' ;;
        'darkai history diff 1') kind='text' ;;
        'darkai history diff 2') kind='text' ;;
        'darkai history rename 1') kind='text' ;;
        'darkai history rm --older-than') kind='text' ;;
        'darkai history stats --since') kind='text' ;;
        'darkai history export --format') kind='words md json jsonl html' ;;
        'darkai history export --output') kind='file' ;;
        'darkai history import 1') kind='file' ;;
        'darkai config get 1') kind='words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown' ;;
        'darkai config set 1') kind='words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown' ;;
        'darkai config set 2') kind='text' ;;
        'darkai config unset 1') kind='words provider model system options fallback timeout connect_timeout retries proxy ca_file client_cert client_key max_wait demo_delay theme code_theme reasoning edit_mode editor input_history overflow title save plain markdown' ;;
        'darkai config trust 1') kind='file' ;;
        'darkai keys set 1') kind='provider' ;;
        'darkai keys rm 1') kind='provider' ;;
        'darkai replay --speed') kind='text' ;;
        'darkai replay --output') kind='file' ;;
        'darkai replay --reasoning') kind='words show fold hide' ;;
        'darkai replay 1') kind='file' ;;
        'darkai doctor '[1-9]*) kind='provider' ;;
        'darkai completions 1') kind='words bash zsh fish powershell' ;;
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
