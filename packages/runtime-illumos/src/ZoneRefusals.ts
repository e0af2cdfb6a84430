/**
 * Every text by which zonecfg, zoneadm with zoneadmd, and zlogin refuse, and the error it means: one table per tool, from the specific to
 * the general. Messages are those of the C locale.
 */
import {
  BrandMissing,
  CommandMisused,
  ConsoleInUse,
  type HostError,
  HostPermissionDenied,
  InstallSourceRejected,
  LinkBusy,
  LinkNotFound,
  WrongZoneState,
  ZoneAlreadyExists,
  ZoneBootFailed,
  ZoneConfigRejected,
  ZoneIncomplete,
  ZoneInstallFailed,
  ZoneLocked,
  ZoneLoginFailed,
  ZoneNameRejected,
  ZoneNotFound,
  ZonepathRejected,
  ZoneResourceMissing,
  ZoneRootInUse,
  ZoneShutdownFailed,
  ZoneStuck,
  ZoneUserUnknown
} from "./HostError.js"
import type { Context } from "./internal/refusal.js"

/**
 * One kind of refusal.
 *
 * @category models
 */
export interface Refusal {
  /** When the tool says so. */
  readonly situation: string
  /** What it prints, with example names. */
  readonly texts: ReadonlyArray<string>
  readonly pattern: RegExp
  readonly error: new(context: Context) => HostError
}

const row = (situation: string, error: Refusal["error"], pattern: RegExp, ...texts: ReadonlyArray<string>): Refusal => ({ situation, error, pattern, texts })

/** zonecfg. Some of these come with exit status 0. @category models */
export const zonecfg: ReadonlyArray<Refusal> = [
  row("the zone is unknown", ZoneNotFound, /: No such zone configured/, "web: No such zone configured"),
  row("the name cannot be one of a zone", ZoneNameRejected, /: Bogus zone name/, "we b: Bogus zone name\n\nZone names must begin with an alpha-numeric character"),
  row("a zone has the name already", ZoneAlreadyExists, /Zone name already in use/, "web-2: Zone name already in use"),
  row("create for a configured zone", ZoneAlreadyExists, /create command ignored, exiting/, "Zone exists, input not from terminal and -F not specified:\ncreate command ignored, exiting."),
  row("create for an installed zone", ZoneAlreadyExists, /already installed; create not allowed/, "Zone web already installed; create not allowed."),
  row("path or brand of an installed zone", WrongZoneState, /already installed; set \S+ not allowed/, "Zone web already installed; set zonepath not allowed.", "Zone web already installed; set brand not allowed."),
  row("delete while the zone is in the kernel", WrongZoneState, /Zone state is invalid for the requested operation/, "web: Zone state is invalid for the requested operation"),
  row("delete without force of a zone with a root", WrongZoneState, /not in configured state; delete not allowed/, "Zone web not in configured state; delete not allowed.  Use -F to force delete."),
  row("a question nobody can answer", CommandMisused, /Input not from terminal and -F not specified/, "Input not from terminal and -F not specified:\ndelete command ignored, exiting."),
  row("not in the global zone", HostPermissionDenied, /can only be run from the global zone/, "zonecfg can only be run from the global zone."),
  row("not as root", HostPermissionDenied, /[Pp]ermission denied|privileged user/, "zonecfg: web: Permission denied"),
  row("a keyword of another release, or no keyword", CommandMisused, /syntax error/, "syntax error on line 4 at 'global-nic'\nCommands:\n\nadd <resource-type>", "syntax error at '\\n'"),
  row("wrong options", CommandMisused, /^usage:|illegal option|no zone specified|may not be used together/m, "zonecfg: illegal option -- x\nusage:\tzonecfg help", "zonecfg: no zone specified"),
  row("no such script", CommandMisused, /could not open (input )?file/, "zonecfg: could not open file /tmp/x: No such file or directory"),
  row("the brand is not installed", BrandMissing, /: unknown brand/, "web: unknown brand.\n\nweb: Invalid document"),
  row(
    "a path, name or address of the wrong form",
    ZoneConfigRejected,
    /is not an absolute path|is not allowed as a zonepath|zonepath cannot be empty|invalid physical interface name|logical interface name not allowed|IPv6 addresses require|prefix lengths must be|bogus host name|name invalid/,
    "a is not an absolute path.",
    "dir a is not an absolute path.",
    "/ is not allowed as a zonepath.",
    "zonepath cannot be empty.\nweb: Required resource missing",
    "web-a: invalid physical interface name",
    "net0:1: physical interface name required; logical interface name not allowed",
    "fe80::1: IPv6 addresses require /prefix-length suffix.",
    "10.0.0.1/33: IPv4 address prefix lengths must be 0 - 32.",
    "-x: bogus host name or network address syntax",
    "dataset: name invalid\nweb: Bad document property"
  ),
  row(
    "a value the property does not take",
    ZoneConfigRejected,
    /value must be '|Specified property is invalid|Clearing this property is not allowed|pool names starting with SUNW|invalid privilege|property is out of range|required scale suffix|value is too small|invalid attr |Invalid attr name|Invalid rctl value|not a valid zone rctl name|value was expected here|integer number was expected/,
    "autoboot value must be 'true' or 'false'.",
    "ip-type value must be 'shared' or 'exclusive'.",
    "hostid: Specified property is invalid",
    "brand: Clearing this property is not allowed",
    "pool names starting with SUNW are reserved.",
    "web: invalid privilege: foo",
    "max-lwps property is out of range.",
    "ncpus property is out of range.",
    "A non-negative number with a required scale suffix (K, M, G or T) was expected\nhere.",
    "A positive number with a required scale suffix (K, M, G or T) was expected\nhere.",
    "physical value is too small.  It must be at least 1M.",
    "swap value is too small.  It must be at least 50M.",
    "invalid attr value for type=string",
    "invalid attr type 'text'",
    "Invalid attr name a_b: can only contain alpha-numeric characters, plus '-' and '.'.",
    "Invalid attr name -b: must start with an alpha-numeric character.",
    "Invalid rctl value specification",
    "'zone.foo' is not a valid zone rctl name.",
    "A simple value was expected here."
  ),
  row(
    "a resource that is there, is not there, or is not complete",
    ZoneConfigRejected,
    /already exists|No such (resource|entry|property)|not specified|No property was specified|multiple instances|Ambiguous|does not exist|cannot be specified|resource specification incomplete|Resource incomplete|Insufficient specification|resource-specific property|only makes sense|incompatible|must be less than or equal/,
    "An attr resource with the name 'a' already exists.",
    "A net resource with the physical 'v0', and allowed-address '10.0.0.2/8' already exists.",
    "The capped-memory resource or a related resource control already exists.",
    "max-lwps: An incompatible rctl already exists for this property",
    "select net: No such resource with that id",
    "remove net: No such entry",
    "clear max-lwps: No such entry",
    "physical not specified",
    "net: address not specified",
    "No property was specified.  One of physical, swap or locked is required.",
    "There are multiple instances of this resource.  Either qualify the resource to\nremove a single instance or use the -F option to remove all instances.",
    "net: address cannot be specified for an exclusive IP type",
    "net: allowed-address cannot be specified for a shared IP type",
    "net: defrouter for v0 cannot be specified without allowed-address for an exclusive IP type",
    "resource specification incomplete\nZone web failed to verify\nweb: Insufficient specification\nConfiguration not saved.",
    "Resource incomplete.",
    "Cannot set a resource-specific property from the global scope.",
    "WARNING: rctl zone.cpu-shares and scheduling-class=TS are incompatible"
  ),
  row(
    "the brand does not verify",
    ZoneConfigRejected,
    /lx zones do not support|zone attribute: /,
    "lx zones do not support shared IP stacks",
    "lx zones do not support hostid emulation",
    "invalid value for zone attribute: kernel-version",
    "invalid type for zone attribute: kernel-version"
  ),
  row("the whole does not verify", ZoneConfigRejected, /failed to verify|Invalid document|Configuration not saved/, "Zone web failed to verify\nweb: Bad document property\nConfiguration not saved."),
  row("any other complaint about a line of the script", ZoneConfigRejected, /On line \d+ of/, "On line 9 of /tmp/x:\nsomething else")
]

const own = (text: string): string => `zoneadm: zone 'web': ${text}`
const daemon = (text: string): string => `zone 'web': ${text}`
const refused = own("call to zoneadmd failed")

/** zoneadm, and zoneadmd whose lines have no program name before them. @category models */
export const zoneadm: ReadonlyArray<Refusal> = [
  row("the zone is unknown", ZoneNotFound, /: No such zone configured/, "zoneadm: web: No such zone configured"),
  row("another operation works on the zone", ZoneLocked, /another zoneadm may have an operation in progress/, own("another zoneadm may have an operation in progress.")),
  row("not as root", HostPermissionDenied, /only a privileged user may/, own("only a privileged user may install a zone.")),
  row("not in the global zone", HostPermissionDenied, /must be in the global zone to/, own("must be in the global zone to boot a zone.")),
  row("the global zone", CommandMisused, /operation is invalid for the global zone/, "zoneadm: zone 'global': halt operation is invalid for the global zone."),
  row("a uuid of the wrong form, no zone, or list in two forms", CommandMisused, /illegal UUID value specified|zoneadm: no zone specified|are mutually exclusive/, "zoneadm: illegal UUID value specified", "zoneadm: no zone specified", "zoneadm: list -p and -v are mutually exclusive."),
  row("a question nobody can answer", CommandMisused, /Input not from terminal and -F not specified/, own("Input not from terminal and -F not specified: uninstall not done.")),
  row("wrong arguments", CommandMisused, /^usage:/m, "usage:\tzoneadm help\n", "usage:\tboot [-- boot_arguments]"),
  row("an operation on a zone that is cut off", ZoneIncomplete, /zone is incomplete; uninstall required|invalid for zones in state 'incomplete'/, own("zone is incomplete; uninstall required."), daemon("halt operation is invalid for zones in state 'incomplete'")),
  row("install or attach of an installed zone", WrongZoneState, /is already installed\./, own("is already installed.")),
  row("a zone in the kernel", WrongZoneState, /operation is invalid for [a-z_]+ zones/, own("install operation is invalid for running zones."), own("uninstall operation is invalid for shutting_down zones.")),
  row("a zone without a root", WrongZoneState, /must be installed before/, own("must be installed before boot."), own("must be installed before detach.")),
  row("uninstall of an uninstalled zone", WrongZoneState, /is already in state '/, own("is already in state 'configured'.")),
  row("shutdown or reboot of a halted zone", WrongZoneState, /': not running\b/, own("not running")),
  row("a clone of what is not installed", WrongZoneState, /is [a-z_]+; installed is required/, "zoneadm: zone src is configured; installed is required."),
  row("a request the daemon does not take in this state", WrongZoneState, /operation is invalid for zones in state|cannot manage a zone which is in state/, daemon("reboot operation is invalid for zones in state 'ready'"), `${daemon("cannot manage a zone which is in state 'configured'")}\n${daemon("could not start zoneadmd")}`),
  row("a second shutdown", WrongZoneState, /shutdown already in progress/, daemon("shutdown already in progress")),
  row("mounts below the root", ZoneRootInUse, /file systems are mounted on subdirectories of/, `${own("These file systems are mounted on subdirectories of /zones/web/root.")}\n\n/zones/web/root/mnt`),
  row("the brand is not installed", BrandMissing, /missing or invalid brand|unknown brand/, own("missing or invalid brand"), "web: unknown brand."),
  row(
    "a path that cannot hold a zone",
    ZonepathRejected,
    /could not verify zonepath|must not be (group|world) [a-z]+\.|is not an absolute path|The XML repository has zonepath|Rootpath .* exists; remove or move aside|could not get zone path|': \S+ is not empty/,
    "/zones/web must not be group readable.\ncould not verify zonepath /zones/web because of the above errors.\nzoneadm: zone web failed to verify",
    "/zones/web must not be world executable.",
    "zones/web is not an absolute path.",
    "The XML repository has zonepath '/a',\nbut the index file has zonepath '/b'.\nThese must match, so fix the incorrect entry.",
    "Rootpath /zones/web/root exists; remove or move aside prior to install.",
    "zoneadm: web: could not get zone path.: No such file or directory",
    own("/zones/new is not empty")
  ),
  row(
    "a file system or dataset that is not there, or is in use",
    ZoneResourceMissing,
    /could not verify fs |cannot mount |unable to mount filesystems|\/mount .*failed with exit code|cannot set 'zoned' property|file-system \S+/,
    "could not verify fs /data: could not access /src: No such file or directory\nzoneadm: zone web failed to verify",
    `${daemon("cannot mount /src on /data: No such file or directory")}\n${daemon("unable to mount filesystems")}\n${refused}`,
    daemon("\"/usr/lib/fs/tmpfs/mount -F tmpfs swap /tmp\" failed with exit code 33"),
    daemon("cannot set 'zoned' property for ZFS dataset 'tank/data': dataset does not exist")
  ),
  row("a link that does not exist", LinkNotFound, /skipping network interface '[^']*': object not found/, `WARNING: skipping network interface 'v0': object not found\n${daemon("failed to add network device: No such device or address")}\n${refused}`),
  row(
    "a link that is in use",
    LinkBusy,
    /which is used in the global zone|unable to add network interface/,
    `WARNING: skipping network interface 'v0' which is used in the global zone.\n${refused}`,
    `${daemon("WARNING: unable to add network interface 'v0': link busy")}\n${daemon("failed to add network device: Device busy")}\n${refused}`
  ),
  row(
    "privileges no zone of this brand may have or miss",
    ZoneConfigRejected,
    /privilege "[^"]*" (is missing from|is not permitted within|specified in) the zone's privilege set/,
    daemon("required privilege \"proc_fork\" is missing from the zone's privilege set"),
    daemon("privilege \"sys_config\" is not permitted within the zone's privilege set"),
    daemon("unknown privilege \"foo\" specified in the zone's privilege set")
  ),
  row(
    "a source the installer cannot use",
    InstallSourceRejected,
    /Source file '.*' not found|Could not find ZFS (snapshot|filesystem)|not in a supported format|The installation source must be specified|ZFS clone .*failed|snapshot \S+ does not exist/,
    "Source file '/img.tar' not found",
    "Could not find ZFS snapshot rpool/img@base",
    "Could not find ZFS filesystem rpool/img",
    "Seed file /img not in a supported format (data)",
    "ZFS clone (rpool/img@base to rpool/zones/web) failed (1)",
    "The installation source must be specified.",
    own("snapshot rpool/img@base does not exist")
  ),
  row("the installer", ZoneInstallFailed, /' failed with exit code \d+/, own("'/usr/lib/brand/lx/install' failed with exit code 1.")),
  row("the zone stays in the kernel", ZoneStuck, /unable to destroy zone|datalink\(s\) remain in zone after shutdown/, daemon("unable to destroy zone"), daemon("1 datalink(s) remain in zone after shutdown")),
  row("a shutdown that does not end", ZoneShutdownFailed, /unable to shutdown zone/, daemon("unable to shutdown zone")),
  row("a configuration that does not verify", ZoneConfigRejected, /failed to verify|could not verify net |zones do not support|zone attribute: /, "lx zones do not support shared IP stacks\nzoneadm: zone web failed to verify", "could not verify net address=10.0.0.1/8 physical=net0: No such device"),
  row(
    "the zone does not come up",
    ZoneBootFailed,
    /call to zoneadmd failed|could not stat |is not executable|zone_create failed|unable to load zone datalinks|failed to add network device|Unsupported distribution|unable to get zoneid|could not start zoneadmd/,
    `${daemon("could not stat /zones/web/root/sbin/init: No such file or directory")}\n${refused}`,
    daemon("/sbin/init is not executable"),
    daemon("zone_create failed: Not owner"),
    daemon("unable to load zone datalinks:  object not found"),
    `${daemon("failed to add network device: Invalid argument")}\n${refused}`,
    `${daemon("Unsupported distribution!")}\n${refused}`,
    daemon("unable to get zoneid: Invalid argument"),
    daemon("could not start zoneadmd")
  )
]

/** zlogin, and the su it runs. @category models */
export const zlogin: ReadonlyArray<Refusal> = [
  row("the zone is unknown", ZoneNotFound, /zlogin: zone '[^']*' unknown/, "zlogin: zone 'web' unknown"),
  row(
    "the zone does not run",
    WrongZoneState,
    /cannot login to a zone which is|login allowed only to running zones/,
    "zlogin: cannot login to a zone which is 'configured'",
    "zlogin: login allowed only to running zones (web is 'installed')."
  ),
  row(
    "not as root, or not in the global zone",
    HostPermissionDenied,
    /lack sufficient privilege|may only be used from the global zone/,
    "zlogin: You lack sufficient privilege to run this command (all privs required)",
    "zlogin: 'zlogin' may only be used from the global zone"
  ),
  row("the console has one client", ConsoleInUse, /Console is already in use/, "zlogin: Console is already in use by process ID 1234."),
  row("the zone has no such login", ZoneUserUnknown, /su: Unknown id:|su: user \S+ does not exist/, "su: Unknown id: bob", "su: user bob does not exist"),
  row(
    "wrong options, or the global zone",
    CommandMisused,
    /not applicable to the global zone|^usage:|may not be specified|illegal option/m,
    "zlogin: 'zlogin' not applicable to the global zone",
    "zlogin: -l may not be specified for failsafe login\nusage:\tzlogin [ -nQCES ]"
  ),
  row(
    "the zone cannot be entered, or has no shell",
    ZoneLoginFailed,
    /could not enter zone|exec failure|Could not chdir to home directory/,
    "zlogin: could not enter zone web: I/O error",
    "zlogin: exec failure: No such file or directory",
    "zlogin: Could not chdir to home directory /home/x: No such file or directory"
  ),
  // Without an end mark nothing else is known.
  row("anything else", ZoneLoginFailed, /^/, "")
]
