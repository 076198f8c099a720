# Stands in for Vivado and Vitis HLS: knows their commands as far as finnp's scripts use them, with the
# options that their manuals list, and refuses everything else. It keeps as much of a state as is needed to
# refuse what the tools would: cells that are not in the catalogue, pins that are not there or left open,
# files that are missing, steps in the wrong order. Must not know what finnp is.
#
#   tclsh recorder.tcl hls|vivado SCRIPT ARGUMENT...
#
# prints one line per call, and END where the script ends in `exit` without an error.

lassign $argv tool script
set argv [lrange $argv 2 end]
set argc [llength $argv]

# What is known so far: a dictionary of dictionaries.
set state {}

proc refuse {words} {
    puts stderr "ERROR: \[Recorder\] $words"
    ::leave 1
}

proc need {condition words} {
    if {![uplevel 1 [list expr $condition]]} {
        refuse $words
    }
}

rename exit leave
proc exit {args} {
    puts END
    leave 0
}
proc unknown {args} {
    refuse "there is no command `$args`"
}

# command NAME FLAGS VALUES LEAST MOST BODY: options without and with a value, how many other arguments there
# may be, and what the command does. BODY sees the options in the array `o` and the others in the list `a`.
proc command {name flags values least most body} {
    proc ::work::$name {o_ a} "array set o \$o_\n$body"
    proc ::$name {args} "take [list $name $flags $values $least $most] \$args"
}

proc take {name flags values least most arguments} {
    set options {}
    set others {}
    while {[llength $arguments] > 0} {
        set arguments [lassign $arguments word]
        if {$word in $flags} {
            lappend options $word 1
        } elseif {$word in $values} {
            if {[llength $arguments] == 0} {
                refuse "$name: $word wants a value"
            }
            set arguments [lassign $arguments value]
            lappend options $word $value
        } elseif {[string match -* $word]} {
            refuse "$name has no option $word"
        } else {
            lappend others $word
        }
    }
    set count [llength $others]
    if {$count < $least || $count > $most} {
        refuse "$name takes $least to $most arguments, not $count"
    }
    if {![string match *get_* $name] && ![string match *current_* $name]} {
        puts [concat $name $options $others]
    }
    return [::work::$name $options $others]
}

namespace eval ::work {}

proc write {path text} {
    file mkdir [file dirname $path]
    set channel [open $path w]
    puts $channel $text
    close $channel
}

proc read_text {path} {
    need {[file isfile $path]} "there is no file $path"
    set channel [open $path]
    set text [read $channel]
    close $channel
    return $text
}

# done STEP: notes it. after STEP NAME: refuses where it was not done.
proc done {step} {
    dict set ::state done $step 1
}
proc after_step {step name} {
    need {[dict exists $::state done $step]} "$name before $step"
}

# --- Vitis HLS --------------------------------------------------------------------------------------------

if {$tool eq "hls"} {
    command open_project {-reset} {} 1 1 {
        need {[regexp {^[A-Za-z][A-Za-z0-9_]*$} $a]} "`$a` is no name of a project"
        need {![file exists $a] || [file exists $a/.project]} "open_project -reset would empty the folder $a"
        write $a/.project ""
        dict set ::state project $a
    }
    command add_files {-tb} {-cflags -csimflags -blackbox} 1 1000 {
        after_project add_files
        foreach file $a {
            need {[file isfile $file]} "there is no file $file"
            if {![info exists o(-tb)]} {
                dict lappend ::state files $file
            }
        }
        foreach flag $o(-cflags) {
            if {[string match -I* $flag]} {
                need {[file isdirectory [string range $flag 2 end]]} "there is no folder for $flag"
            }
        }
    }
    proc after_project {name} {
        need {[dict exists $::state project]} "$name before open_project"
    }
    command set_top {} {} 1 1 {
        set text ""
        foreach file [dict get $::state files] {
            append text [read_text $file]
        }
        need {[regexp "void $a\\(" $text]} "no file defines the function $a"
        dict set ::state top $a
        # Streams get the ports that the source asks for.
        dict set ::state streams {}
        foreach {- port} [regexp -all -inline {mode=axis[^\n]* port=(\w+)} $text] {
            dict lappend ::state streams $port
        }
    }
    command open_solution {-reset} {-flow_target} 1 1 {
        after_project open_solution
        need {$o(-flow_target) in {vivado vitis}} "there is no flow $o(-flow_target)"
        dict set ::state solution $a
    }
    command set_part {} {-board} 1 1 {
        need {[dict exists $::state solution]} "set_part before open_solution"
        done set_part
    }
    command create_clock {} {-period -name} 0 1 {
        need {$o(-period) > 0} "no clock has the period $o(-period)"
        done create_clock
    }
    command csim_design {-clean -O -profile -setup} {-argv -compiler -ldflags -mflags} 0 0 {}
    command csynth_design {-dump_cfg -dump_post_cfg -synthesis_check} {} 0 0 {
        foreach step {set_part create_clock} {
            after_step $step csynth_design
        }
        need {[dict exists $::state top]} "csynth_design before set_top"
        done csynth_design
    }
    command export_design {} {
        -description -display_name -flow -format -ipname -library -output -rtl -taxonomy -vendor -version
    } 0 0 {
        after_step csynth_design export_design
        need {$o(-format) in {ip_catalog syn_dcp sysgen xo}} "there is no format $o(-format)"
        set folder [dict get $::state project]/[dict get $::state solution]
        # The archive says what it holds and which streams that has, and nothing else.
        set vlnv "$o(-vendor):$o(-library):$o(-ipname):$o(-version)"
        write $folder/impl/export.zip "$vlnv\n[dict get $::state streams]"
    }
}

# --- Vivado -----------------------------------------------------------------------------------------------

# The interfaces that are read, those that are written, and other pins of the cells of a catalogue.
proc pins {vlnv} {
    switch -glob $vlnv {
        xilinx.com:ip:axis_data_fifo:2.0 {
            return {S_AXIS M_AXIS {s_axis_aclk s_axis_aresetn}}
        }
        default {
            set streams [dict get $::state streams $vlnv]
            set read [lsearch -all -inline $streams s_axis*]
            return [list $read [lsearch -all -inline $streams m_axis*] {ap_clk ap_rst_n}]
        }
    }
}

# What an archive or an entry of a catalogue holds; its streams are kept.
proc held {file} {
    lassign [split [string trim [read_text $file]] \n] vlnv streams
    dict set ::state streams $vlnv $streams
    return $vlnv
}

proc catalogue {} {
    set known {xilinx.com:ip:axis_data_fifo:2.0}
    if {[dict exists $::state ip_repo_paths] && [dict exists $::state done catalogue]} {
        foreach folder [dict get $::state ip_repo_paths] {
            foreach file [glob -nocomplain $folder/*/ip] {
                lappend known [held $file]
            }
        }
    }
    return $known
}

proc join_pins {kind name pins} {
    foreach pin $pins {
        need {![dict exists $::state connected $pin]} "$pin is connected twice"
        dict set ::state connected $pin $name
    }
}

if {$tool eq "vivado"} {
    namespace eval ::ipx {}
    namespace eval ::work::ipx {}
    command create_project {-force -in_memory -ip -rtl_kernel} {-part} 0 2 {
        need {[info exists o(-in_memory)] || [llength $a] == 2} "create_project: in which folder?"
        dict set ::state part $o(-part)
        done project
    }
    # Sources of a project that is no block design.
    command add_files {-norecurse -quiet -scan_for_includes} {-fileset} 1 1 {
        after_step project add_files
        foreach file [lindex $a 0] {
            need {[file isfile $file]} "there is no file $file"
            need {[file extension $file] in {.v .sv .mem .xdc}} "nobody knows what $file is"
            dict lappend ::state sources $file
        }
    }
    command current_fileset {-quiet -constrset -simset -srcset} {} 0 1 {
        after_step project current_fileset
        return sources_1
    }
    command update_compile_order {-quiet} {-fileset} 0 0 {
        need {$o(-fileset) eq "sources_1"} "there are no files $o(-fileset)"
    }
    # Whether a module is defined, and all that its text names: memories by the names of their files alone.
    proc elaborated {top} {
        set sources [dict get $::state sources]
        set text ""
        foreach file $sources {
            if {[file extension $file] in {.v .sv}} {
                append text [read_text $file]
            }
        }
        need {[regexp "module $top\\M" $text]} "no file defines the module $top"
        foreach {- named} [regexp -all -inline {"([^"]+\.mem)"} $text] {
            # Defaults of parameters name files that nobody has.
            if {[regexp "\\(\"[string map {. \\.} $named]\"\\)" $text]} {
                need {[llength [lsearch -all -glob $sources */$named]] == 1} "there is no memory $named"
            }
        }
        foreach {- instance} [regexp -all -inline -line {^    (finnp_\w+|\w+_[0-9a-f]{8}) (?:#\(|\w+ \()} $text] {
            need {[regexp "module $instance\\M" $text]} "no file defines the module $instance"
        }
        set streams {}
        foreach {- port} [regexp -all -inline -nocase -line {wire (?:\[\d+:0\] )?([sm]_axis(?:_\d+)?)_tvalid} $text] {
            lappend streams $port
        }
        return $streams
    }
    command current_project {-quiet} {} 0 1 {
        after_step project current_project
        return project
    }
    command close_project {-delete} {} 0 0 {
        after_step project close_project
        foreach key {sources top streams_of_top packaged} {
            dict unset ::state $key
        }
    }
    command set_property {} {-dict} 1 3 {
        if {[info exists o(-dict)]} {
            need {[llength $a] == 1} "set_property -dict takes objects only"
            set pairs $o(-dict)
            set object [lindex $a 0]
        } else {
            need {[llength $a] == 3} "set_property takes a name, a value and objects"
            set pairs [lrange $a 0 1]
            set object [lindex $a 2]
        }
        need {$object ne ""} "set_property: of what?"
        foreach {name value} $pairs {
            ::property $name $value
        }
    }
    proc property {name value} {
        switch $name {
            ip_repo_paths {
                foreach folder $value {
                    need {[file isdirectory $folder]} "there is no folder $folder"
                }
                dict set ::state ip_repo_paths $value
            }
            CONFIG.FIFO_DEPTH {
                need {$value in {16 32 64 128 256 512 1024 2048 4096 8192 16384 32768}} "no FIFO holds $value words"
            }
            CONFIG.TDATA_NUM_BYTES {
                need {$value >= 1 && $value <= 512} "no stream has $value bytes"
            }
            CONFIG.POLARITY {
                need {$value in {ACTIVE_LOW ACTIVE_HIGH}} "there is no polarity $value"
            }
            top {
                dict set ::state streams_of_top [::elaborated $value]
                dict set ::state top $value
            }
            CONFIG.ASSOCIATED_BUSIF - generate_synth_checkpoint - name - version {}
            default {
                refuse "there is no property $name"
            }
        }
    }
    command update_ip_catalog {-rebuild -scan_changes -update_module_ref} {-add_ip -delete_ip -repo_path} 0 0 {
        after_step project update_ip_catalog
        done catalogue
        if {[info exists o(-add_ip)]} {
            need {$o(-repo_path) in [dict get $::state ip_repo_paths]} "$o(-repo_path) is no repository of the project"
            set vlnv [held $o(-add_ip)]
            need {$vlnv ni [catalogue]} "$vlnv is in the catalogue already"
            write $o(-repo_path)/[string map {: _} $vlnv]/ip "$vlnv\n[dict get $::state streams $vlnv]"
        }
    }

    command create_bd_design {-verbose} {-dir -cell} 1 1 {
        after_step project create_bd_design
        dict set ::state design $a
    }
    command create_bd_port {} {-dir -type -freq_hz -from -to} 1 1 {
        need {$o(-dir) in {I O IO} && $o(-type) in {clk rst ce data intr}} "no port is like $a"
        dict set ::state ports $a 0
    }
    command create_bd_cell {} {-type -vlnv -reference} 1 1 {
        need {$o(-type) in {ip module hier container}} "no cell is of type $o(-type)"
        need {$o(-vlnv) in [catalogue]} "the catalogue has no $o(-vlnv)"
        need {![dict exists $::state cells $a]} "there are two cells $a"
        need {[regexp {^[A-Za-z][A-Za-z0-9_]*$} $a]} "`$a` is no name of a cell"
        dict set ::state cells $a $o(-vlnv)
    }
    foreach {name level} {get_bd_pins pin get_bd_intf_pins interface} {
        command $name {-quiet -hierarchical} {-filter -of_objects} 1 1 [string map [list LEVEL $level] {
            lassign [split $a /] cell pin
            need {[dict exists $::state cells $cell]} "there is no cell $cell"
            lassign [pins [dict get $::state cells $cell]] read written others
            set known [expr {"LEVEL" eq "pin" ? $others : [concat $read $written]}]
            need {$pin in $known} "$cell has no LEVEL $pin"
            return $a
        }]
    }
    command get_bd_cells {-quiet -hierarchical} {-filter -of_objects} 1 1 {
        need {[dict exists $::state cells $a]} "there is no cell $a"
        return $a
    }
    command get_bd_ports {-quiet} {-filter -of_objects} 1 1 {
        need {[dict exists $::state ports $a]} "there is no port $a"
        return $a
    }
    command connect_bd_net {} {-net} 2 1000 {
        # A port or pin that drives may drive many; the others are driven once.
        join_pins net connect_bd_net [lrange $a 1 end]
        dict incr ::state nets
    }
    command connect_bd_intf_net {} {-intf_net -boundary_type} 2 2 {
        lassign $a from to
        need {[file tail $from] in [lindex [::pins_of $from] 1]} "$from is not written"
        need {[file tail $to] in [lindex [::pins_of $to] 0]} "$to is not read"
        join_pins interface connect_bd_intf_net $a
    }
    proc pins_of {pin} {
        return [pins [dict get $::state cells [file dirname $pin]]]
    }
    command make_bd_intf_pins_external {} {-name} 1 1 {
        join_pins interface make_bd_intf_pins_external $a
    }
    command validate_bd_design {-force} {} 0 1 {
        dict for {cell vlnv} [dict get $::state cells] {
            foreach pin [concat {*}[pins $vlnv]] {
                need {[dict exists $::state connected $cell/$pin]} "$cell/$pin is connected to nothing"
            }
        }
        done validate_bd_design
    }
    command save_bd_design {} {} 0 1 {
        after_step validate_bd_design save_bd_design
        dict set ::state known [dict get $::state design].bd 1
    }
    command get_files {-quiet} {-of_objects -filter} 1 1 {
        need {[dict exists $::state known $a]} "the project has no file $a"
        return $a
    }
    command generate_target {-force} {} 2 2 {
        need {[lindex $a 0] in {all synthesis simulation instantiation_template}} "there is no target [lindex $a 0]"
        done generate_target
    }

    command ipx::package_project {-import_files -force} {
        -root_dir -vendor -library -taxonomy -module -set_current -wrapper_name
    } 0 0 {
        if {[info exists o(-module)]} {
            after_step generate_target ipx::package_project
            need {$o(-module) eq [dict get $::state design]} "there is no module $o(-module)"
            set name $o(-module)
            set streams {}
        } else {
            need {[dict exists $::state top]} "ipx::package_project: of what?"
            set name [dict get $::state top]
            set streams [dict get $::state streams_of_top]
        }
        dict set ::state packaged $o(-root_dir) "$o(-vendor):$o(-library):$name:1.0\n$streams"
    }
    foreach name {ipx::create_xgui_files ipx::update_checksums} {
        command $name {} {} 1 1 {}
    }
    command ipx::current_core {} {} 0 0 {
        return core
    }
    command ipx::save_core {} {} 1 1 {
        dict for {folder vlnv} [dict get $::state packaged] {
            write $folder/ip $vlnv
        }
    }

    command create_ip {-force} {-vlnv -name -vendor -library -version -module_name -dir} 0 0 {
        need {$o(-vlnv) in [catalogue]} "the catalogue has no $o(-vlnv)"
        need {[file isdirectory $o(-dir)]} "there is no folder $o(-dir)"
        dict set ::state known $o(-module_name).xci 1
        dict set ::state module $o(-module_name)
    }
    command get_ips {-quiet} {-filter} 1 1 {
        need {[dict get $::state module] eq $a} "there is no IP $a"
        return $a
    }
    command read_xdc {-unmanaged -no_add} {-mode -ref -cells} 1 1 {
        # Constraints are Tcl too; ports are those of the cores.
        need {[file isfile $a]} "there is no file $a"
        uplevel #0 [list source $a]
    }
    command create_clock {-add} {-name -period -waveform} 1 1 {
        need {$o(-period) > 0} "no clock has the period $o(-period)"
        done create_clock
    }
    command get_ports {-quiet} {-filter} 1 1 {
        need {$a in {ap_clk ap_rst_n aclk aresetn}} "there is no port $a"
        return $a
    }
    command synth_design {} {-top -part -mode -directive -flatten_hierarchy} 0 0 {
        after_step create_clock synth_design
        if {[dict exists $::state sources]} {
            elaborated $o(-top)
        } else {
            after_step generate_target synth_design
            need {$o(-top) eq [dict get $::state module]} "there is no module $o(-top)"
        }
        need {$o(-part) eq [dict get $::state part]} "the project is for another part"
        need {$o(-mode) in {default out_of_context}} "there is no mode $o(-mode)"
        done synth_design
    }
    foreach {name before} {
        opt_design synth_design place_design opt_design route_design place_design
    } {
        command $name {} {-directive} 0 0 "after_step $before $name; done $name"
    }
    command report_utilization {-hierarchical} {-file -hierarchical_depth} 0 0 {
        after_step synth_design report_utilization
        write $o(-file) {| Site Type             | Used | Fixed | Available | Util% |
| CLB LUTs*             | 1234 |     0 |   1303680 |  0.09 |
|   Register as Flip Flop | 5678 |   0 |   2607360 |  0.22 |
| Block RAM Tile        |  2.5 |     0 |      2016 |  0.12 |
| DSPs                  |   12 |     0 |      9024 |  0.13 |}
    }
    command report_timing_summary {} {-file -max_paths -delay_type} 0 0 {
        after_step synth_design report_timing_summary
        write $o(-file) {    WNS(ns)      TNS(ns)
    -------      -------
      0.125        0.000}
    }
    command write_checkpoint {-force} {} 1 1 {
        after_step synth_design write_checkpoint
        write $a checkpoint
    }
}

if {[catch {source $script} message]} {
    refuse $message
}
refuse "the script does not end in `exit`"
