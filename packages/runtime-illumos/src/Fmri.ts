/** Names of services: `svc:/<service>:<instance>`. */
import * as Schema from "effect/Schema"

const part = "[A-Za-z0-9][A-Za-z0-9_.,-]*"

/**
 * Name of a service without its instance, such as `application/example/server`.
 *
 * @category schemas
 */
export const ServiceName = Schema.String.pipe(
  Schema.maxLength(119),
  Schema.pattern(new RegExp(`^[A-Za-z][A-Za-z0-9_.,-]*(/${part})*$`), {
    message: () => "a service name is words of letters, digits, '_', '.', ',' and '-', joined by '/'; it begins with a letter"
  }),
  Schema.brand("ServiceName")
)
/** A validated name of a service. @category models */
export type ServiceName = typeof ServiceName.Type

/**
 * Full name of a service instance, such as `svc:/network/ssh:default`.
 *
 * @category schemas
 */
export const Fmri = Schema.String.pipe(
  Schema.maxLength(255),
  Schema.pattern(new RegExp(`^svc:/[A-Za-z][A-Za-z0-9_.,-]*(/${part})*:${part}$`), {
    message: () => "an FMRI is svc:/<service>:<instance>"
  }),
  Schema.brand("Fmri")
)
/** A validated full name of a service instance. @category models */
export type Fmri = typeof Fmri.Type

/** The FMRI of a text that is one; throws on any other, so it is for names in code. @category constructors */
export const make = (text: string): Fmri => Fmri.make(text)

/** Whether the text is the full name of an instance. @category combinators */
export const is = Schema.is(Fmri)

/** The instance of a service; `default` unless named. @category constructors */
export const of = (service: ServiceName, instance = "default"): Fmri => Fmri.make(`svc:/${service}:${instance}`)

/** The service an instance belongs to. @category combinators */
export const serviceOf = (fmri: Fmri): ServiceName => ServiceName.make(fmri.slice("svc:/".length, fmri.lastIndexOf(":")))

/** The last part: the name of the instance. @category combinators */
export const instanceOf = (fmri: Fmri): string => fmri.slice(fmri.lastIndexOf(":") + 1)

/** Where the restarter writes what the methods of the instance print; absolute inside its zone. @category combinators */
export const logPath = (fmri: Fmri): string => `/var/svc/log/${serviceOf(fmri).replaceAll("/", "-")}:${instanceOf(fmri)}.log`
