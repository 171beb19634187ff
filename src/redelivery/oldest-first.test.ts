import type { Message } from '@botpress/client'
import { describe, expect, it } from 'vitest'
import { OldestFirst, type OldestFirstOptions } from './oldest-first'

const PAGE_SIZE = 3

const messageOf = (number: number) => ({ id: `${number}`, createdAt: String(number).padStart(5, '0') }) as Message

/** A list as Botpress has it: the newest first, each token for what is older than a message. */
const listOf = (numbers: number[]) => {
  const asked: (string | undefined)[] = []
  const list = async (nextToken?: string) => {
    asked.push(nextToken)
    const left = numbers.filter((number) => number < Number(nextToken ?? Infinity)).sort((a, b) => b - a)
    const page = left.slice(0, PAGE_SIZE)
    return { messages: page.map(messageOf), nextToken: left.length > PAGE_SIZE ? String(page.at(-1)) : undefined }
  }
  return { list, asked, numbers }
}

/** All that is given out, in its order. */
const walk = async (
  { list }: Pick<OldestFirstOptions, 'list'>,
  { from = 0, lookUntil = Infinity, passed = [] as string[], onPage = (_page: string[]) => {} } = {}
) => {
  const given: string[] = []
  const oldestFirst = new OldestFirst({
    list,
    isWanted: ({ id }) => !given.includes(id) && !passed.includes(id),
    isTooOld: ({ createdAt }) => Number(createdAt) < from,
    lookUntil,
  })
  const waiting: number[] = []
  for await (const page of oldestFirst.pages()) {
    waiting.push(oldestFirst.waiting)
    const ids = page.map(({ id }) => id)
    onPage(ids)
    given.push(...ids)
  }
  return { given, waiting, isCut: oldestFirst.isCut, skipped: oldestFirst.skipped }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('a list, from its oldest message on', () => {
  it.each([0, 1, 2, 3, 4, 6, 7, 20])('of %i messages: each once, in order', async (count) => {
    expect(await walk(listOf(upTo(count)))).toMatchObject({ given: upTo(count).map(String), isCut: false, skipped: 0 })
  })

  it('asks for one page once, and for each of more twice at the most', async () => {
    const one = listOf(upTo(3))
    await walk(one)
    expect(one.asked).toHaveLength(1)
    const many = listOf(upTo(30))
    // What is delivered is no longer in the list.
    await walk(many, { onPage: (page) => void many.numbers.splice(0, page.length) })
    expect(many.asked.length).toBeLessThanOrEqual(20)
  })

  it('tells how many are waiting', async () => {
    expect((await walk(listOf(upTo(8)))).waiting).toEqual([6, 3, 0])
  })

  it('takes what is added and leaves out what is removed meanwhile', async () => {
    const one = listOf(upTo(10))
    const { given } = await walk(one, {
      onPage: (page) => {
        if (page[0] === '1') one.numbers.push(11, 12)
        if (page[0] === '2') one.numbers.splice(one.numbers.indexOf(6), 1)
      },
    })
    expect(given).toEqual(['1', '2', '3', '4', '5', '7', '8', '9', '10', '11', '12'])
  })

  it('passes over what is not wanted, also whole pages of it, and counts it', async () => {
    const passed = ['1', '2', '3', '5', '8', '9', '10']
    expect(await walk(listOf(upTo(12)), { passed })).toMatchObject({ given: ['4', '6', '7', '11', '12'], skipped: 7 })
    expect(await walk(listOf(upTo(3)), { passed })).toMatchObject({ given: [], skipped: 3 })
  })

  it('does not look behind what is too old', async () => {
    const one = listOf(upTo(100))
    expect((await walk(one, { from: 95 })).given).toEqual(['95', '96', '97', '98', '99', '100'])
    expect(one.asked.length).toBeLessThanOrEqual(6)
  })

  it('goes on behind an empty page that has a token', async () => {
    const list = async (token?: string) =>
      token === undefined
        ? { messages: [messageOf(2)], nextToken: 'empty' }
        : token === 'empty'
          ? { messages: [], nextToken: 'last' }
          : { messages: [messageOf(1)] }
    expect((await walk({ list })).given).toEqual(['1', '2'])
    const emptyFirst = async (token?: string) =>
      token === undefined ? { messages: [], nextToken: 'last' } : { messages: [messageOf(1)] }
    expect((await walk({ list: emptyFirst })).given).toEqual(['1'])
  })

  it('begins with the oldest that it has seen where the time is up, and says so', async () => {
    expect(await walk(listOf(upTo(9)), { lookUntil: 0 })).toMatchObject({ given: ['7', '8', '9'], isCut: true })
  })
})
