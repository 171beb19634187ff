/** What the integration says of its configuration, in the words of a command line. */
export const inOptions = (text: string): string =>
  text
    .replaceAll(/(the )?Response Endpoint URL/gi, '--endpoint')
    .replaceAll('the Signing Secret of the configuration', 'the secret that --secret gave')
    .replaceAll(/(the )?Signing Secret/gi, '--secret')
    .replaceAll('the Access Key of the configuration', 'the key that --key gave')
    .replaceAll(/(the )?Access Key/gi, '--key')
    .replaceAll(/(the )?Endpoint Header/gi, '--header')
    .replaceAll(' in the integration’s configuration', '')
