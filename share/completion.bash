# SPDX-License-Identifier: AGPL-3.0-or-later
# What completes the words of docket; the tables stand in front of it.
# shellcheck shell=bash

# _docket_reply KIND-OR-CHOICES CURRENT
_docket_reply() {
	case $1 in
	file | '<file>')
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	dir | '<dir>')
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	'' | '<'*) COMPREPLY=() ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2") ;;
	esac
}

_docket() {
	local current=$2 noun='' verb='' option='' word i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		# bash parts --name=value at its =
		if [ "$word" = = ]; then
			continue
		elif [ -n "$option" ]; then
			option=
		elif [[ $word == -* ]]; then
			! _docket_takes "$word" || option=$word
		elif [ -z "$noun" ]; then
			noun=$word
		elif [ -z "$verb" ] &&
		    [[ " $(_docket_verbs "$noun") " == *" $word "* ]]; then
			verb=$word
		fi
	done
	[ "$current" != = ] || current=
	if [ -n "$option" ]; then
		_docket_reply "$(_docket_values "$noun $verb $option")" \
		    "$current"
	elif [[ $current == -* ]]; then
		_docket_reply "$(_docket_options "$noun $verb")" "$current"
	elif [ -z "$noun" ]; then
		_docket_reply "$_docket_nouns" "$current"
	elif [ -z "$verb" ] && [ -n "$(_docket_verbs "$noun")" ]; then
		_docket_reply "$(_docket_verbs "$noun")" "$current"
	else
		_docket_reply "$(_docket_words "$noun $verb")" "$current"
	fi
}

complete -F _docket docket
