/** Tables of mounted file systems: `/proc/mounts` of Linux, `/etc/mnttab` of illumos, fstab. Pure. */

/** A mounted file system. @category models */
export interface Mount {
  /** Device, dataset or what stands for it. */
  readonly special: string
  readonly mountPoint: string
  readonly type: string
  readonly options: ReadonlyArray<string>
}

/** Bytes that the kernel writes as a backslash and three octal digits; together they are UTF-8. */
const unescape = (field: string): string =>
  field.includes("\\")
    ? Buffer.from(field.replaceAll(/\\([0-7]{3})|[^\\]|\\/gu, (part, octal: string | undefined) =>
      octal === undefined ? Buffer.from(part).toString("latin1") : String.fromCharCode(Number.parseInt(octal, 8) & 0xff)), "latin1").toString("utf8")
    : field

/** The last entry of a mount point is the one that is seen; entries keep the order of these. */
const visible = (mounts: ReadonlyArray<Mount>): ReadonlyArray<Mount> => {
  const byPoint = new Map<string, Mount>()
  for (const mount of mounts) {
    byPoint.delete(mount.mountPoint)
    byPoint.set(mount.mountPoint, mount)
  }
  return [...byPoint.values()]
}

const fields = (special: string | undefined, mountPoint: string | undefined, type: string | undefined, options: string | undefined): ReadonlyArray<Mount> =>
  special === undefined || type === undefined || options === undefined || mountPoint === undefined || !mountPoint.startsWith("/")
    ? []
    : [{ special, mountPoint, type, options: options.split(",") }]

/**
 * The table of a Linux kernel (`/proc/1/mounts`), or an fstab: blanks between fields, octal escapes. Comments and lines of another form are
 * passed over.
 *
 * @category combinators
 */
export const parseLinux = (text: string): ReadonlyArray<Mount> =>
  visible(text.split("\n").flatMap((line) => {
    const trimmed = line.trim()
    if (trimmed === "" || trimmed.startsWith("#")) return []
    const [special, mountPoint, type, options] = trimmed.split(/[ \t]+/).map(unescape)
    return fields(special, mountPoint, type, options)
  }))

/**
 * The table of an illumos kernel: special, mount point, type, options and time, between tabs. Lines of another form are passed over.
 *
 * @category combinators
 */
export const parseMnttab = (text: string): ReadonlyArray<Mount> =>
  visible(text.split("\n").flatMap((line) => {
    const [special, mountPoint, type, options, time] = line.split("\t")
    return time === undefined ? [] : fields(special, mountPoint, type, options)
  }))

/**
 * The file system that holds a path: the one with the longest mount point that is a whole prefix.
 *
 * @category combinators
 */
export const holding = (mounts: ReadonlyArray<Mount>, path: string): Mount | undefined => {
  const within = (point: string): boolean => point === "/" || path === point || path.startsWith(`${point}/`)
  return mounts.filter(({ mountPoint }) => within(mountPoint)).reduce<Mount | undefined>(
    (best, mount) => best === undefined || mount.mountPoint.length >= best.mountPoint.length ? mount : best,
    undefined
  )
}

/** File systems that cannot be written to by what they are. */
const readOnlyTypes: ReadonlySet<string> = new Set(["squashfs", "iso9660", "erofs", "hsfs", "udfs", "cramfs"])

/**
 * Whether the file system is read-only although it should not be by its type. The option is a whole word: `errors=remount-ro` is none.
 *
 * @category combinators
 */
export const isReadOnly = ({ options, type }: Mount): boolean => !readOnlyTypes.has(type) && options.includes("ro")
