// What a file is, in words: nobody in an office reads "application/vnd.microsoft.portable-executable".
import { type Key, t } from './i18n.svelte';

const KINDS: [RegExp, Key][] = [
  [/^application\/(vnd\.microsoft\.portable-executable|x-(msdownload|executable|mach-binary|dosexec|elf)|java-archive)$/, 'kind.program'],
  [/^application\/(x-sh|x-shellscript|javascript|x-msi)$|^text\/(x-shellscript|javascript)$/, 'kind.program'],
  [/^application\/pdf$/, 'kind.pdf'],
  [/^application\/(msword|vnd\.openxmlformats-officedocument\.wordprocessingml\.)/, 'kind.word'],
  [/^application\/(vnd\.ms-excel|vnd\.openxmlformats-officedocument\.spreadsheetml\.)/, 'kind.excel'],
  [/^application\/(vnd\.ms-powerpoint|vnd\.openxmlformats-officedocument\.presentationml\.)/, 'kind.powerpoint'],
  [/^application\/(zip|gzip|x-(7z-compressed|rar-compressed|tar|bzip2|xz)|vnd\.rar)$/, 'kind.archive'],
  [/^image\//, 'kind.picture'],
  [/^audio\//, 'kind.sound'],
  [/^video\//, 'kind.film'],
  [/^message\/rfc822$/, 'kind.message'],
  [/^text\/html$/, 'kind.page'],
  [/^text\/plain$/, 'kind.text'],
  [/^application\/octet-stream$/, 'kind.file'],
];

/** The words for a media type; the type itself when there are none. */
export function kindOf(type: string): string {
  const key = KINDS.find(([pattern]) => pattern.test(type))?.[1];
  return key ? t(key) : type;
}
