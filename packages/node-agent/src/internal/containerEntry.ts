/**
 * How a process becomes one of a container: its root, its directory, its user and groups, its variables, its program. POSIX sh, run in the
 * root of the zone as its root user, in the directory in which zlogin starts commands.
 *
 * Whichever program the zone has does it. perl(1) can do all of it in one step, also for a root without any program of its own, and every
 * illumos brings it: native zones in `/usr`, lx zones in `/native`. Without it chroot(8) enters the root, and there setpriv(1) of
 * util-linux, chroot(8) of coreutils and start-stop-daemon(8) take numbers; su(1) is everywhere but takes names only.
 */
import { posix } from "node:path"
import type * as Files from "../supervisor/SupervisorFiles.js"
import { rootMounts } from "./rootMounts.js"
import { quote } from "./shellWords.js"

/** A process to start. */
export interface Entry {
  /** Absent: the root of the zone. */
  readonly root?: Files.ContainerRoot | undefined
  /** Absent: whoever runs the script. */
  readonly user?: Files.ContainerUser | undefined
  /** Absolute in the root. Made when it is missing, as container runtimes do. */
  readonly workingDirectory: string
  readonly env: ReadonlyArray<readonly [name: string, value: string]>
  readonly argv: ReadonlyArray<string>
}

/** Exit status of a zone that lacks what it takes to start the process as told. */
const cannotStartStatus = 126

/** Arguments: root or nothing, directory, user and group or nothing, further groups, number of variables, variables, program and arguments. */
const perlProgram = `my ($root, $dir, $uid, $gid, $groups, $n, @rest) = @ARGV;
sub refuse { my ($status, $text) = @_; print STDERR "$text\\n"; exit $status }
if ($root ne "") { chroot $root and chdir "/" or refuse(${cannotStartStatus}, "the root $root of the container cannot be entered: $!") }
my $path = $dir =~ m{^/} ? "" : ".";
for my $name (grep { $_ ne "" and $_ ne "." } split m{/}, $dir) { $path .= "/$name"; mkdir $path, 0755 unless -d $path }
chdir $dir or refuse(127, "$dir: $!");
delete $ENV{OLDPWD};
for (splice @rest, 0, $n) { my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value }
if ($uid ne "") {
  $( = $gid;
  $) = "$gid " . ($groups eq "" ? $gid : $groups);
  ($<, $>) = ($uid, $uid);
  refuse(${cannotStartStatus}, "user $uid:$gid cannot be set: $!") unless $< == $uid and $> == $uid and $) == $gid;
}
$SIG{INT} = $SIG{QUIT} = "DEFAULT";
my $program = $rest[0];
exec { $program } @rest;
my $error = $! + 0;
refuse($error == 2 ? 127 : ${cannotStartStatus}, "exec: \\"$program\\": " . ($error == 2 && $program !~ m{/} ? "executable file not found in \\$PATH" : "$!"))`

const assignments = (env: Entry["env"]): ReadonlyArray<string> => env.map(([name, value]) => `${name}=${value}`)

/** Leaves the first perl that works in \`p\`. */
const findPerl = `for p in /native/usr/bin/perl /usr/bin/perl; do [ -x "$p" ] && "$p" -e 1 2>/dev/null && break; p=; done`

const perlCall = ({ argv, env, user }: Entry, root: string, directory: string): string =>
  ["exec \"$p\" -e", ...[
    perlProgram,
    root,
    directory,
    user === undefined ? "" : String(user.uid),
    user === undefined ? "" : String(user.gid),
    (user?.groups ?? []).join(" "),
    String(env.length),
    ...assignments(env),
    ...argv
  ].map(quote)].join(" ")

/** What follows env(1): variables and command. */
const wordsOf = ({ argv, env }: Entry): string => {
  const words = argv.map(quote).join(" ")
  // env(1) would take a program name with '=' in it for one more variable.
  const command = argv[0]?.includes("=") === true ? `/bin/sh -c 'exec "$@"' sh ${words}` : words
  return [...assignments(env).map(quote), command].join(" ")
}

/** In the present root and directory: becomes the user. The variables are set after that, because su changes some. */
const asUser = (user: Files.ContainerUser, entry: Entry): ReadonlyArray<string> => {
  const { gid, name, uid } = user
  const groups = user.groups ?? []
  const words = wordsOf(entry)
  const setpriv = `--reuid=${uid} --regid=${gid} ${groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`}`
  const chroot = `--userspec=${uid}:${gid} --groups=${groups.join(",")} --skip-chdir /`
  const daemon = `start-stop-daemon -S -p /nonexistent/pid -c ${uid}:${gid} -x`
  return [
    // Nobody but root can become another user. This zone is a simulated one, run by somebody who is not: as far as it goes.
    `me=$(id -u 2>/dev/null) || me=0`,
    `[ "$me" = 0 ] || exec env $signals ${words}`,
    findPerl,
    `[ -z "$p" ] || ${perlCall(entry, "", ".")}`,
    `if setpriv ${setpriv} true 2>/dev/null; then`,
    `  exec setpriv ${setpriv} env $signals ${words}`,
    `elif chroot ${chroot} true 2>/dev/null; then`,
    `  exec chroot ${chroot} env $signals ${words}`,
    // Drops all further groups.
    ...(groups.length > 0 ? [] : [
      `elif ${daemon} "$(command -v true)" >/dev/null 2>&1; then`,
      `  exec ${daemon} "$(command -v env)" -- $signals ${words}`
    ]),
    ...(name === undefined ? [] : [
      `elif su -s /bin/sh ${quote(name)} -c true 2>/dev/null; then`,
      // As one text: su itself would look for options among further words.
      `  exec su -s /bin/sh ${quote(name)} -c "exec env $signals "${quote(words)}`
    ]),
    `fi`,
    `echo ${quote(`the zone has no program that can start a process as user ${uid}:${gid}${groups.length === 0 ? "" : ` with the groups ${groups.join(", ")}`}`)} >&2`,
    `exit ${cannotStartStatus}`
  ]
}

/** In the present root. */
const start = (entry: Entry): ReadonlyArray<string> => {
  const directory = quote(`.${posix.resolve("/", entry.workingDirectory)}`)
  return [
    `[ -d ${directory} ] || mkdir -p ${directory}`,
    `cd ${directory} || exit 127`,
    `unset OLDPWD`,
    // Shells start what they put in the background without the keyboard's signals; a container begins with all of them.
    `signals=`,
    `env --default-signal=INT,QUIT true 2>/dev/null && signals=--default-signal=INT,QUIT`,
    ...(entry.user === undefined ? [`exec env $signals ${wordsOf(entry)}`] : asUser(entry.user, entry))
  ]
}

const fail = (text: string): string => `{ echo ${quote(text)} >&2; exit ${cannotStartStatus}; }`

/** In a zone whose root is `/`: enters the root of the container. */
const enter = (root: Files.ContainerRoot, entry: Entry): ReadonlyArray<string> => {
  const { user, workingDirectory } = entry
  const spec = user === undefined ? "" : `--userspec=${user.uid}:${user.gid} --groups=${(user.groups ?? []).join(",")} `
  const place = quote(root.path)
  return [
    ...rootMounts(root),
    findPerl,
    `[ -z "$p" ] || ${perlCall(entry, root.path, posix.resolve("/", workingDirectory))}`,
    `for c in /usr/sbin/chroot /usr/bin/chroot /sbin/chroot /bin/chroot /native/usr/sbin/chroot; do [ -x "$c" ] && break; c=; done`,
    `[ -n "$c" ] || ${fail("the zone has neither perl nor chroot, and cannot start a process with the root of a container")}`,
    `if "$c" ${place} /bin/sh -c : 2>/dev/null; then`,
    `  exec "$c" ${place} /bin/sh -c ${quote(start(entry).join("\n"))}`,
    `fi`,
    // No shell in it: what is left is a program that needs neither a directory nor, mostly, another user.
    ...(workingDirectory === "/" ? [] : [fail(`the image has no /bin/sh and the zone no perl, so nothing can go to ${workingDirectory} for it`)]),
    ...(user === undefined ? [] : [`"$c" ${spec}/ true 2>/dev/null || ${fail(`the zone has no program that can start a process as user ${user.uid}:${user.gid} in a root without a shell`)}`]),
    `exec env ${assignments(entry.env).map(quote).join(" ")} "$c" ${spec}${place} ${entry.argv.map(quote).join(" ")}`
  ]
}

/**
 * The script that becomes the process. Values are single-quoted words; names of variables may be no identifiers of a shell, or mean
 * something to one: both are legal in a pod.
 *
 * The variables come on top of what zlogin gives to every command in a zone (`PATH`, `HOME`): nothing else is inherited there.
 */
export const script = (entry: Entry): string => {
  const { root } = entry
  if (root === undefined) return `${start(entry).join("\n")}\n`
  return [
    `if [ "$(pwd -P)" = / ]; then`,
    ...enter(root, entry),
    `fi`,
    // A simulated zone on a machine that lets nobody have a root of his own: its processes keep the programs of the machine.
    `cd ${quote(`.${root.path}`)} || exit ${cannotStartStatus}`,
    ...start(entry),
    ""
  ].join("\n")
}
