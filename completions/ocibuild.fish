# Completion of ocibuild for fish. Commands and options are asked of the program itself, so they cannot be out of date.

function __ocibuild_commands
    ocibuild help 2>/dev/null | string match --regex --groups-only '^  ([a-z]+) +(.*)' | while read --local name
        read --local summary
        printf '%s\t%s\n' $name $summary
    end
end

function __ocibuild_options
    set --local words (commandline --tokenize --cut-at-cursor)
    ocibuild $words[2] --help 2>/dev/null | string match --regex --groups-only '^  (?:-., |    )(--[a-z-]+).*?  ([^ ].*)$' | while read --local name
        read --local help
        printf '%s\t%s\n' $name (string trim $help)
    end
end

function __ocibuild_images
    ocibuild images 2>/dev/null | string match --regex --groups-only '^([^ <]+) ' | string match --invert NAME
end

complete -c ocibuild -n __fish_use_subcommand -f -a '(__ocibuild_commands)'
complete -c ocibuild -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -f -a '(__ocibuild_options)'
complete -c ocibuild -n '__fish_seen_subcommand_from release' -f -a 'runtime app'
complete -c ocibuild -n '__fish_seen_subcommand_from run push tag rmi inspect history' -f -a '(__ocibuild_images)'
