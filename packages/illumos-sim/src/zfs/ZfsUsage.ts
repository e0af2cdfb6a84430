/** Usage errors of zfs and zpool: the reason, then the grammar; exit status 2. */
import { fail, type Result } from "../internal/result.js"

type Reason = string | { readonly kind: "unknown" | "missing"; readonly flag: string }

const grammar: Readonly<Record<string, string>> = {
  create: "create [-p] [-o property=value] ... <filesystem>\n\tcreate [-ps] [-b blocksize] [-o property=value] ... -V <size> <volume>",
  destroy: "destroy [-fnpRrv] <filesystem|volume>\n\tdestroy [-dnpRrv] <filesystem|volume>@<snap>[%<snap>][,...]",
  list: "list [-Hp] [-r|-d max] [-o property[,...]] [-s property]...\n\t    [-S property]... [-t type[,...]] [filesystem|volume|snapshot] ...",
  get: "get [-rHp] [-d max] [-o \"all\" | field[,...]]\n\t    [-t type[,...]] [-s source[,...]]\n\t    <\"all\" | property[,...]> [filesystem|volume|snapshot|bookmark] ...",
  set: "set <property=value> ... <filesystem|volume|snapshot> ...",
  inherit: "inherit [-rS] <property> <filesystem|volume|snapshot> ...",
  snapshot: "snapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...",
  clone: "clone [-p] [-o property=value] ... <snapshot> <filesystem|volume>",
  promote: "promote <clone-filesystem>",
  rename: "rename [-f] <filesystem|volume|snapshot> <filesystem|volume|snapshot>\n\trename [-f] -p <filesystem|volume> <filesystem|volume>\n\trename -r <snapshot> <snapshot>",
  rollback: "rollback [-rRf] <snapshot>",
  mount: "mount\n\tmount [-vO] [-o opts] <-a | filesystem>",
  unmount: "unmount [-f] <-a | filesystem|mountpoint>",
  hold: "hold [-r] <tag> <snapshot> ...",
  release: "release [-r] <tag> <snapshot> ...",
  holds: "holds [-r] <snapshot> ...",
  send: "send [-DnPpRvLecwhb] [-[i|I] snapshot] <snapshot>\n\tsend [-nvPe] -t <receive_resume_token>",
  receive: "receive [-vnsFhu] [-o <property>=<value>] ... [-x <property>] ... <filesystem|volume|snapshot>\n\treceive [-vnsFhu] [-o <property>=<value>] ... [-x <property>] ... [-d | -e] <filesystem>\n\treceive -A <filesystem|volume>",
  allow: "allow <filesystem|volume>\n\tallow [-ldug] <\"everyone\"|user|group>[,...] <perm|@setname>[,...]\n\t    <filesystem|volume>\n\tallow [-ld] -e <perm|@setname>[,...] <filesystem|volume>",
  unallow: "unallow [-rldug] <\"everyone\"|user|group>[,...]\n\t    [<perm|@setname>[,...]] <filesystem|volume>\n\tunallow [-rld] -e [<perm|@setname>[,...]] <filesystem|volume>"
}

/** A usage error of one subcommand. @category constructors */
export const usage = (subcommand: string, reason: Reason): Result => {
  const text = typeof reason === "string"
    ? reason
    : reason.kind === "unknown" ? `invalid option '${reason.flag}'` : `missing argument for '${reason.flag}' option`
  return fail(`${text}\nusage:\n\t${grammar[subcommand] ?? subcommand}`, 2)
}

/** The dataset exists, but is of another type. @category constructors */
export const notApplicable = (name: string): Result => fail(`cannot open '${name}': operation not applicable to datasets of this type`)

/** The dataset does not exist. @category constructors */
export const notOpen = (name: string): Result => fail(`cannot open '${name}': dataset does not exist`)
