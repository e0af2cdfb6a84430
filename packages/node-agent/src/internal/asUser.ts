import type { ContainerUser } from "../supervisor/SupervisorFiles.js"
import { quote } from "./shellWords.js"

/** Exit status of a zone that has no program to become another user with. */
const noUserStatus = 126

/**
 * Lines of POSIX sh that run `words`, as env(1) takes them, as another user, by whichever program the zone has: setpriv(1) of util-linux
 * and chroot(8) of coreutils take numbers, su(1) is everywhere but takes names only. The variables are set after that, because su changes
 * some. `$signals` may hold options of env.
 */
export const asUser = ({ gid, name, uid }: ContainerUser, words: string): ReadonlyArray<string> => [
  `if setpriv --reuid=${uid} --regid=${gid} --clear-groups true 2>/dev/null; then`,
  `  exec setpriv --reuid=${uid} --regid=${gid} --clear-groups env $signals ${words}`,
  `elif chroot --userspec=${uid}:${gid} --skip-chdir / true 2>/dev/null; then`,
  `  exec chroot --userspec=${uid}:${gid} --skip-chdir / env $signals ${words}`,
  ...(name === undefined ? [] : [
    `elif su -s /bin/sh ${quote(name)} -c true 2>/dev/null; then`,
    // As one text: su itself would look for options among further words.
    `  exec su -s /bin/sh ${quote(name)} -c "exec env $signals "${quote(words)}`
  ]),
  `fi`,
  `echo ${quote(`the zone has no program that can start a process as user ${uid}:${gid}`)} >&2`,
  `exit ${noUserStatus}`
]
