/** Bearer tokens from a file, one a line: `token,user,uid,"group1,group2"`, as Kubernetes reads them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as secureFiles from "../internal/secureFiles.js"
import * as UserInfo from "./UserInfo.js"

/**
 * The token file cannot be read, or a line of it is not what it should be.
 *
 * @category errors
 */
export class TokenFileInvalid extends Schema.TaggedError<TokenFileInvalid>()("TokenFileInvalid", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `token file ${this.path}: ${this.detail}`
  }
}

/** Users by token. The tokens themselves are not kept. @category models */
export interface StaticTokens {
  readonly userOf: (token: string) => UserInfo.UserInfo | undefined
}

/** No tokens at all. @category constructors */
export const none: StaticTokens = { userOf: () => undefined }

const digest = (token: string): string => createHash("sha256").update(token).digest("base64")

/** The cells of a line; a cell in double quotes may hold commas, and quotes that are doubled. Left is what is wrong. */
const cellsOf = (line: string): Either.Either<ReadonlyArray<string>, string> => {
  const cells: Array<string> = []
  let at = 0
  while (at <= line.length) {
    if (line[at] === "\"") {
      const match = /^"((?:[^"]|"")*)"\s*(?=,|$)/.exec(line.slice(at))
      if (match === null) return Either.left("a quoted value does not end")
      cells.push((match[1] ?? "").replaceAll("\"\"", "\""))
      at += match[0].length + 1
    } else {
      const end = line.indexOf(",", at)
      const stop = end < 0 ? line.length : end
      cells.push(line.slice(at, stop).trim())
      at = stop + 1
    }
  }
  return Either.right(cells)
}

const entryOf = (line: string): Either.Either<readonly [string, UserInfo.UserInfo], string> =>
  Either.flatMap(cellsOf(line), ([token = "", name = "", uid = "", groups = "", ...more]) => {
    if (token === "" || name === "") return Either.left("a line needs token, user and uid, joined by commas")
    if (more.length > 0) return Either.left("several groups need quotes around them: \"group1,group2\"")
    const list = groups.split(",").map((group) => group.trim()).filter((group) => group !== "")
    const user = UserInfo.authenticated(name, list)
    return Either.right([digest(token), uid === "" ? user : { ...user, uid }])
  })

/** Tokens from the text of a file; blank lines and those that begin with `#` do not count. Left says what is wrong where. @category constructors */
export const parse = (text: string): Either.Either<StaticTokens, string> => {
  const users = new Map<string, UserInfo.UserInfo>()
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) continue
    const entry = entryOf(line)
    if (Either.isLeft(entry)) return Either.left(`line ${index + 1}: ${entry.left}`)
    const [key, user] = entry.right
    if (users.has(key)) return Either.left(`line ${index + 1}: the token of this line is that of another line, too`)
    users.set(key, user)
  }
  // Looked up by its hash, so that the time of an answer says nothing about how much of a guess was right.
  return Either.right({ userOf: (token) => users.get(digest(token)) })
}

/** Reads a token file. @category constructors */
export const read = (path: string): Effect.Effect<StaticTokens, TokenFileInvalid> =>
  secureFiles.read(path).pipe(
    Effect.mapError(({ cause, detail }) => new TokenFileInvalid({ path, detail, cause })),
    Effect.flatMap((text) =>
      text === undefined
        ? Effect.fail(new TokenFileInvalid({ path, detail: "it does not exist: check the path" }))
        : Effect.mapError(parse(text), (detail) => new TokenFileInvalid({ path, detail })))
  )
