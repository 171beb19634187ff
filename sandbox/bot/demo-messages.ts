import type { BotMessage } from './bot'

const card = (title: string) => ({
  title,
  subtitle: 'Roasted this morning',
  imageUrl: 'https://example.com/coffee.png',
  actions: [
    { action: 'say', label: 'Order', value: `order ${title}` },
    { action: 'postback', label: 'Remember', value: `remember ${title}` },
    { action: 'url', label: 'Read more', value: 'https://example.com/coffee' },
  ],
})

const sizes = {
  text: 'Which size?',
  options: [
    { label: 'Small', value: 'small' },
    { label: 'Large', value: 'large' },
  ],
}

const place = { latitude: 45.5019, longitude: -73.5674, address: 'Place d’Armes, Montréal', title: 'The café' }

/** A sample of each type of message that the integration has, but text. */
export const DEMO_MESSAGES: Record<string, BotMessage['payload']> = {
  markdown: { markdown: '**Open** from _7_ to _19_ o’clock' },
  image: { imageUrl: 'https://example.com/coffee.png' },
  audio: { audioUrl: 'https://example.com/bell.mp3' },
  video: { videoUrl: 'https://example.com/tour.mp4' },
  file: { fileUrl: 'https://example.com/menu.pdf', title: 'The menu' },
  location: place,
  card: card('Espresso'),
  carousel: { items: [card('Espresso'), card('Filter coffee')] },
  choice: sizes,
  dropdown: sizes,
  bloc: {
    items: [
      { type: 'text', payload: { text: 'Here we are:' } },
      { type: 'location', payload: place },
    ],
  },
  any: { order: { id: 42, lines: [{ item: 'Espresso', quantity: 2 }] }, paid: false, note: null },
}
