/** `reddwarf-server kubeconfig`: credentials for a user or a node. */
import { Command, Options } from "@effect/cli"
import { Names } from "@reddwarf/api-types"
import { Certificates, Kubeconfig } from "@reddwarf/apiserver"
import { Program } from "@reddwarf/cli"
import { Console, Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { join } from "node:path"
import { dataDir } from "./ServeSettings.js"

/** Name of the file that keeps a user's certificate: user names hold characters that file names cannot. */
const fileFor = (user: string, groups: ReadonlyArray<string>): string =>
  user === "kubernetes-admin" && groups.length === 0
    ? "admin"
    : `user-${createHash("sha256").update(JSON.stringify([user, groups])).digest("hex").slice(0, 16)}`

/** Where the certificates of a data directory are. */
export const pkiDirectory = (directory: string): string => join(directory, "pki")

export const kubeconfig = Command.make("kubeconfig", {
  dataDir,
  server: Options.text("server").pipe(
    Options.withDefault("https://127.0.0.1:6443"),
    Options.withDescription("URL by which the user reaches the server")
  ),
  user: Options.text("user").pipe(Options.optional, Options.withDescription("user name; default kubernetes-admin")),
  groups: Options.text("group").pipe(Options.repeated, Options.withDescription("group of the user; may be repeated; default system:masters")),
  node: Options.text("node").pipe(Options.optional, Options.withDescription("make the credentials of this node's agent instead")),
  names: Options.text("san").pipe(
    Options.repeated,
    Options.withDescription("with --node: a name or address by which the server reaches the agent; may be repeated")
  ),
  out: Options.text("out").pipe(Options.optional, Options.withDescription("write to this file (mode 0600) instead of standard output"))
}, ({ dataDir, groups, names, node, out, server, user }) =>
  Effect.gen(function*() {
    const certificates = yield* Certificates.Certificates
    if (Option.isSome(node)) {
      if (Option.isSome(user) || groups.length > 0) return yield* Program.wrongUsage("--node makes the credentials of an agent; leave --user and --group out")
      const [problem] = Names.isDns1123Subdomain(node.value)
      if (problem !== undefined) return yield* Program.wrongUsage(`--node ${node.value}: ${problem}`)
    }
    const name = Option.match(node, { onNone: () => Option.getOrElse(user, () => "kubernetes-admin"), onSome: (value) => `system:node:${value}` })
    const issued = Option.match(node, {
      onNone: () => certificates.client(fileFor(name, groups), name, groups.length > 0 ? groups : ["system:masters"]),
      onSome: (value) => certificates.node(value, names)
    })
    const entry = { server, authority: certificates.authority, user: name, credentials: yield* issued }
    return yield* Option.match(out, {
      onNone: () => Console.log(Kubeconfig.make(entry).trimEnd()),
      onSome: (file) => Kubeconfig.write(file, entry)
    })
  }).pipe(Effect.provide(Certificates.layer({ directory: pkiDirectory(dataDir) })))).pipe(
    Command.withDescription("Make a kubeconfig for a user or for a node's agent, signed by this server's authority")
  )
