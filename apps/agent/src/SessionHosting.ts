/** How an agent starts the process that serves sessions while agents come and go, and how the two know that they are of one program. */
import { existsSync, statSync } from "node:fs"
import { version } from "./version.js"

/** The service manager of illumos ends all processes of a service together; this makes one that is not counted to it. */
const ownContract = "/usr/bin/ctrun"

/** Another file is another program, whatever it says of its version. */
export const identity = (): string => {
  const file = statSync(process.argv[1] ?? "", { throwIfNoEntry: false })
  return `${version} ${file?.size ?? 0} ${file?.mtimeMs ?? 0}`
}

/** The command line up to the name of the socket. */
export const command = (dataDir: string): readonly [program: string, ...args: ReadonlyArray<string>] => {
  const words = [process.argv[1] ?? "", "sessions", "--data-dir", dataDir]
  return process.platform === "sunos" && existsSync(ownContract)
    ? [ownContract, "-l", "child", process.execPath, ...words]
    : [process.execPath, ...words]
}
