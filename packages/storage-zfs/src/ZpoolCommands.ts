/** Command lines of zpool. */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName } from "./DatasetName.js"

const program = "/usr/sbin/zpool"
const columns = "name,size,alloc,free,cap,health"

/** One pool with exact numbers. @category constructors */
export const list = (pool: DatasetName): CommandLine.CommandLine =>
  CommandLine.make(program, "list", "-Hpo", columns, pool)

/** The same with rounded numbers, for a zpool that does not know `-p`. @category constructors */
export const listRounded = (pool: DatasetName): CommandLine.CommandLine =>
  CommandLine.make(program, "list", "-Ho", columns, pool)
