/** Writes kubeconfig files: everything a client needs, in one file that only its owner can read. */
import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import { stringify } from "yaml"
import { CertificateFailure, type KeyPair } from "./Certificates.js"
import * as secureFiles from "./internal/secureFiles.js"

/** What goes into a kubeconfig. @category models */
export interface KubeconfigOptions {
  /** URL of the API server. */
  readonly server: string
  /** Certificate of the authority that signed the server's certificate, as PEM. */
  readonly authority: string
  /** Name of the user entry, such as `kubernetes-admin`. */
  readonly user: string
  readonly credentials: KeyPair
  /** Name of the cluster entry; default `reddwarf`. */
  readonly cluster?: string
  /** Default namespace of the context. */
  readonly namespace?: string
}

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")

/** The text of a kubeconfig with one cluster, one user and one context. @category constructors */
export const make = (options: KubeconfigOptions): string => {
  const cluster = options.cluster ?? "reddwarf"
  const context = `${options.user}@${cluster}`
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: cluster, cluster: { server: options.server, "certificate-authority-data": base64(options.authority) } }
    ],
    users: [
      {
        name: options.user,
        user: {
          "client-certificate-data": base64(options.credentials.cert),
          "client-key-data": base64(options.credentials.key)
        }
      }
    ],
    contexts: [
      {
        name: context,
        context: {
          cluster,
          user: options.user,
          ...(options.namespace === undefined ? {} : { namespace: options.namespace })
        }
      }
    ],
    "current-context": context
  }, { lineWidth: 0 })
}

/** Puts a kubeconfig at a path with mode 0600, as a whole or not at all. @category constructors */
export const write = (path: string, options: KubeconfigOptions): Effect.Effect<void, CertificateFailure> =>
  Effect.zipRight(secureFiles.directory(dirname(path)), secureFiles.write(path, make(options))).pipe(
    Effect.mapError(({ cause, detail, path: at }) => new CertificateFailure({ path: at, detail, cause }))
  )
