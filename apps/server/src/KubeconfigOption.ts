/** How commands that talk to a running server find it: as kubectl does. */
import { Options } from "@effect/cli"
import { Program } from "@reddwarf/cli"
import { KubeConfig } from "@reddwarf/client"
import { Config, Effect, Option } from "effect"
import { join } from "node:path"

/** `--kubeconfig FILE`. */
export const option = Options.text("kubeconfig").pipe(
  Options.optional,
  Options.withDescription("how to reach the server; default: $KUBECONFIG, then ~/.kube/config")
)

const usual = Effect.flatMap(
  Effect.all([Config.string("KUBECONFIG").pipe(Config.withDefault("")), Config.string("HOME").pipe(Config.withDefault(""))]),
  ([given, home]) =>
    given !== ""
      ? Effect.succeed(given.split(":")[0] ?? given)
      : home === ""
      ? Program.wrongUsage("give the kubeconfig of the server with --kubeconfig")
      : Effect.succeed(join(home, ".kube", "config"))
)

/** Reads the file that was given, or the usual one. */
export const load = (given: Option.Option<string>) =>
  Effect.flatMap(Option.match(given, { onNone: () => usual, onSome: Effect.succeed }), KubeConfig.load)
