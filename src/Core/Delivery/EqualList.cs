using System.Collections;

namespace ZapierTriggers.Core.Delivery;

/// <summary>A list in a record: two are equal when their items are, in order. Immutable.</summary>
internal sealed class EqualList<T>(params IEnumerable<T> items) : IReadOnlyList<T>, IEquatable<EqualList<T>>
{
    /// <summary>A list without items.</summary>
    public static readonly EqualList<T> Empty = new();

    private readonly T[] _items = [.. items];

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(EqualList<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EqualList<T>);

    /// <inheritdoc/>
    public override int GetHashCode() => _items.Length == 0 ? 0 : HashCode.Combine(_items.Length, _items[0]);
}
