using System.Collections;

namespace Engram.Streams;

/// <summary>A list whose items are made when asked for and not kept: a stream of many thousand experiences costs no memory.</summary>
internal sealed class LazyList<T>(int count, Func<int, T> create) : IReadOnlyList<T>
{
    public int Count => count;

    public T this[int index] => (uint)index < (uint)count
        ? create(index)
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"expected 0 to {count - 1}");

    public IEnumerator<T> GetEnumerator()
    {
        for (var index = 0; index < count; index++) yield return create(index);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
