/** Rules for names, with the texts of Kubernetes' validation. Each rule gives the problems it finds; an empty list means valid. */

/** What is wrong with a value; empty when it keeps the rule. @category models */
export type Problems = ReadonlyArray<string>

const labelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`
const underscoreLabelFormat = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
const underscoreSubdomainFormat = `${underscoreLabelFormat}(\\.${underscoreLabelFormat})*`
const dns1035Format = "[a-z]([-a-z0-9]*[a-z0-9])?"
const qualifiedFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
const labelValueFormat = `(${qualifiedFormat})?`
const configKeyFormat = "[-._a-zA-Z0-9]+"
const headerFormat = "[-A-Za-z0-9]+"
const cIdentifierFormat = "[A-Za-z_][A-Za-z0-9_]*"

const whole = (format: string): RegExp => new RegExp(`^(?:${format})$`)
const label = whole(labelFormat)
const subdomain = whole(subdomainFormat)
const underscoreSubdomain = whole(underscoreSubdomainFormat)
const dns1035 = whole(dns1035Format)
const qualified = whole(qualifiedFormat)
const prefixedName = whole(`${subdomainFormat}/${qualifiedFormat}`)
const labelValue = whole(labelValueFormat)
const configKey = whole(configKeyFormat)
const header = whole(headerFormat)
const cIdentifier = whole(cIdentifierFormat)

const regexProblem = (text: string, format: string, ...examples: ReadonlyArray<string>): string =>
  `${text} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${format}')`

const tooLong = (maximum: number): string => `must be no more than ${maximum} characters`

const none: Problems = []

const encoder = new TextEncoder()

/** Length in UTF-8 bytes, the unit of every limit here. @category combinators */
export const byteLength = (value: string): number => {
  for (let index = 0; index < value.length; index++) if (value.charCodeAt(index) > 127) return encoder.encode(value).length
  return value.length
}

/** A rule of a length and a format. A text that has the format is ASCII, so that its length is that in bytes. */
const limited = (maximum: number, format: RegExp, problem: (value: string) => string) => (value: string): Problems => {
  if (format.test(value)) return value.length <= maximum ? none : [tooLong(maximum)]
  return byteLength(value) <= maximum ? [problem(value)] : [tooLong(maximum), problem(value)]
}

/** A text that says the number must lie between two others. @category combinators */
export const rangeProblem = (minimum: number, maximum: number): string => `must be between ${minimum} and ${maximum}, inclusive`

/** RFC 1123 label, 63 characters: namespaces, containers, hostnames. @category combinators */
export const isDns1123Label: (value: string) => Problems = limited(63, label, (value) =>
  subdomain.test(value)
    ? "must not contain dots"
    : regexProblem(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        labelFormat,
        "my-name",
        "123-abc"
      )
)

/** RFC 1123 subdomain, 253 characters: the names of most objects. @category combinators */
export const isDns1123Subdomain: (value: string) => Problems = limited(253, subdomain, () =>
  regexProblem(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    subdomainFormat,
    "example.com"
  )
)

/** RFC 1123 subdomain whose labels may hold underscores, as in DNS search lists. @category combinators */
export const isDns1123SubdomainWithUnderscore: (value: string) => Problems = limited(253, underscoreSubdomain, () =>
  regexProblem(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
    underscoreSubdomainFormat,
    "example.com"
  )
)

/** RFC 1035 label, 63 characters, begins with a letter. @category combinators */
export const isDns1035Label: (value: string) => Problems = limited(63, dns1035, () =>
  regexProblem(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    dns1035Format,
    "my-name",
    "abc-123"
  )
)

const qualifiedRule = (): string =>
  regexProblem(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    qualifiedFormat,
    "MyName",
    "my.name",
    "123-abc"
  )

/** `[prefix/]name`: label keys, annotation keys, finalizers, resource names. @category combinators */
export const isQualifiedName = (value: string): Problems => {
  const slash = value.indexOf("/")
  if (slash <= 253 && value.length - slash <= 64 && (slash < 0 ? qualified : prefixedName).test(value)) return none
  const name = value.slice(slash + 1)
  if (name.includes("/")) {
    return [`a valid label key ${qualifiedRule()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  const problems: Array<string> = []
  if (slash === 0) problems.push("prefix part must be non-empty")
  else if (slash > 0) for (const problem of isDns1123Subdomain(value.slice(0, slash))) problems.push(`prefix part ${problem}`)
  if (name === "") problems.push("name part must be non-empty")
  else if (byteLength(name) > 63) problems.push(`name part ${tooLong(63)}`)
  if (!qualified.test(name)) problems.push(`name part ${qualifiedRule()}`)
  return problems
}

/** Value of a label: empty or up to 63 characters. @category combinators */
export const isLabelValue: (value: string) => Problems = limited(63, labelValue, () =>
  regexProblem(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    labelValueFormat,
    "MyValue",
    "my_value",
    "12345"
  )
)

/** A name that can stand in a path: all that some kinds ask for. @category combinators */
export const isPathSegment = (value: string): Problems => {
  if (value === "." || value === "..") return [`may not be '${value}'`]
  return ["/", "%"].filter((char) => value.includes(char)).map((char) => `may not contain '${char}'`)
}

const portName = /^[a-z0-9](-?[a-z0-9])*$/
const portCharacters = /^[-a-z0-9]+$/
const portLetter = /[a-z]/

/** IANA service name of a port: up to 15 characters. @category combinators */
export const isPortName = (value: string): Problems => {
  if (value.length <= 15 && portName.test(value) && portLetter.test(value)) return none
  const problems: Array<string> = []
  if (byteLength(value) > 15) problems.push(tooLong(15))
  if (!portCharacters.test(value)) problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
  if (!portLetter.test(value)) problems.push("must contain at least one letter (a-z)")
  if (value.includes("--")) problems.push("must not contain consecutive hyphens")
  if (value.startsWith("-") || value.endsWith("-")) problems.push("must not begin or end with a hyphen")
  return problems
}

/** A port number from 1 to 65535. @category combinators */
export const isPortNumber = (value: number): Problems => (value >= 1 && value <= 65_535 ? none : [rangeProblem(1, 65_535)])

const directoryProblems = (value: string): Problems => {
  if (value === ".") return ["must not be '.'"]
  if (value === "..") return ["must not be '..'"]
  return value.startsWith("..") ? ["must not start with '..'"] : none
}

const configMapKey = limited(253, configKey, () =>
  regexProblem(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    configKeyFormat,
    "key.name",
    "KEY_NAME",
    "key-name"
  )
)

/** Key of a ConfigMap or Secret. @category combinators */
export const isConfigMapKey = (value: string): Problems => {
  const problems = configMapKey(value)
  const directory = directoryProblems(value)
  return directory.length === 0 ? problems : [...problems, ...directory]
}

const printable = /^[\x20-\x3c\x3e-\x7e]+$/

/** Name of an environment variable: printable ASCII without `=`. @category combinators */
export const isEnvVarName = (value: string): Problems => {
  if (value === "") return ["environment variable name must be non-empty"]
  return printable.test(value)
    ? none
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Name of an HTTP header of a probe. @category combinators */
export const isHttpHeaderName = (value: string): Problems =>
  header.test(value)
    ? none
    : [regexProblem("a valid HTTP header must consist of alphanumeric characters or '-'", headerFormat, "X-Header-Name")]

/** An identifier of C. @category combinators */
export const isCIdentifier = (value: string): Problems =>
  cIdentifier.test(value)
    ? none
    : [
        regexProblem(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          cIdentifierFormat,
          "my_name",
          "MY_NAME",
          "MyName"
        )
      ]

/** A user or group number of Unix. @category combinators */
export const isUnixId = (value: number): Problems =>
  value >= 0 && value <= 2_147_483_647 ? none : [rangeProblem(0, 2_147_483_647)]

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789"

/**
 * A name from `generateName`: at most 58 characters of the base and five random ones.
 *
 * @param random gives numbers from 0 (included) to 1 (excluded)
 * @category constructors
 */
export const generateName = (base: string, random: () => number): string => {
  let name = base.slice(0, 58)
  for (let count = 0; count < 5; count++) name += suffixAlphabet.charAt(Math.floor(random() * suffixAlphabet.length))
  return name
}

/** Whether a name of this prefix can be valid: a trailing dash stands for the random part. @category combinators */
export const isPrefixOf = (rule: (value: string) => Problems) => (prefix: string): Problems =>
  rule(prefix.endsWith("-") ? `${prefix.slice(0, -1)}a` : prefix)
