// What an HTML letter needs, loaded when the first is read.
export { default as Letter } from './Letter.svelte';
export { clean } from './sanitize';
