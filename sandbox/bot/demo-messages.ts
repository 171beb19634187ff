import type { BotMessage } from './bot'

const place = { latitude: 45.5019, longitude: -73.5674, address: 'Place d’Armes, Montréal', title: 'The café' }

const sizes = {
  text: 'Which size?',
  options: [
    { label: 'Small', value: 'small' },
    { label: 'Large', value: 'large' },
  ],
}

/**
 * A sample of each type of message that the integration has, but text.
 *
 * @param mediaUrl where the folder `demo-media` is served, without a slash at its end
 */
export const demoMessages = (mediaUrl: string): Record<string, BotMessage['payload']> => {
  const card = (title: string, picture: string) => ({
    title,
    subtitle: 'Roasted this morning',
    imageUrl: `${mediaUrl}/${picture}`,
    actions: [
      { action: 'say', label: 'Order', value: `order ${title}` },
      { action: 'postback', label: 'Remember', value: `remember ${title}` },
      { action: 'url', label: 'Read more', value: `${mediaUrl}/menu.pdf` },
    ],
  })
  const espresso = card('Espresso', 'espresso.svg')
  return {
    markdown: { markdown: '**Open** from _7_ to _19_ o’clock' },
    image: { imageUrl: `${mediaUrl}/espresso.svg` },
    audio: { audioUrl: `${mediaUrl}/bell.wav` },
    video: { videoUrl: `${mediaUrl}/tour.webm` },
    file: { fileUrl: `${mediaUrl}/menu.pdf`, title: 'The menu' },
    location: place,
    card: espresso,
    carousel: { items: [espresso, card('Filter coffee', 'filter-coffee.svg')] },
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
}
