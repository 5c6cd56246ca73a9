# Completion of ocibuild for bash. Commands and options are asked of the program itself, so they cannot be out of date.

_ocibuild_words() # what 'ocibuild help' lists
{
	ocibuild help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

_ocibuild_options() # COMMAND
{
	ocibuild "$1" --help 2>/dev/null | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

_ocibuild_images()
{
	ocibuild images 2>/dev/null | awk 'NR > 1 && $1 != "<none>" { print $1 }'
}

_ocibuild()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= i
	COMPREPLY=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--store | --log-level) ((i++)) ;;
		-*) ;;
		*) command=${COMP_WORDS[i]} && break ;;
		esac
	done
	if [[ -z $command ]]; then
		case $before in
		--store) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
		--log-level) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$word") ;;
		*) mapfile -t COMPREPLY < <(compgen -W "help --store --log-level --debug --version $(_ocibuild_words)" -- "$word") ;;
		esac
		return
	fi
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "--help $(_ocibuild_options "$command")" -- "$word")
		return
	fi
	case $before in
	--progress) mapfile -t COMPREPLY < <(compgen -W "auto tty plain quiet rawjson" -- "$word") && return ;;
	-f | --file | --env-file | --iidfile | --metadata-file | --ca-cert) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
	esac
	case $command in
	help) mapfile -t COMPREPLY < <(compgen -W "$(_ocibuild_words)" -- "$word") ;;
	release) mapfile -t COMPREPLY < <(compgen -W "runtime app" -- "$word") ;;
	build | import) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	*)
		# Bash has split NAME:TAG at the colon; what is completed is what stands after it.
		local name=$word
		[[ $before == : ]] && name=${COMP_WORDS[COMP_CWORD - 2]}:$word
		[[ $word == : ]] && name=$before:
		mapfile -t COMPREPLY < <(compgen -W "$(_ocibuild_images)" -- "$name")
		if [[ $name == *:* ]]; then
			COMPREPLY=("${COMPREPLY[@]#"${name%"${name##*:}"}"}")
		fi
		;;
	esac
}

complete -o filenames -o bashdefault -F _ocibuild ocibuild
