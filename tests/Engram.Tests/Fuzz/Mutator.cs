using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Engram.Tests.Fuzz;

/// <summary>Damages files in the ways in which files are damaged, and in those in which attackers write them.</summary>
internal sealed class Mutator(int seed)
{
    // Half of a surrogate pair is no text that .NET's JSON writes, so it is put in at the end.
    private const string HalfPair = "\"half of a pair\"";

    private static readonly string[] s_hostile =
    [
        "-1", "0", "1", "3", "255", "65536", "100000000", "2147483647", "2147483648", "4294967295", "9223372036854775807",
        "1e308", "1e400", "-1e400", "0.5", "null", "true", "\"\"", "\"../../../../etc/passwd\"", "\"/etc/passwd\"", "\"..\\\\x\"",
        "\"mlp 100000-100000\"", "\"mlp 2147483647-2147483647\"", "\"resnet110\"", "\"cosine\"", "[]", "{}", "[null]", "[-1]",
        "[[]]", "{\"\":{}}", "[2147483647,2147483647]", "[4294967296,4294967296]", "\"NaN\"", "\"Infinity\"", HalfPair,
        "\"" + new string('x', 5000) + "\"", new string('[', 200) + new string(']', 200),
    ];

    public Random Random { get; } = new(seed);

    public T OneOf<T>(IReadOnlyList<T> items) => items[Random.Next(items.Count)];

    /// <summary>One to three bytes-wise damages.</summary>
    public byte[] Damage(byte[] whole)
    {
        var bytes = whole;
        for (var times = Random.Next(4) == 0 ? 3 : 1; times > 0; times--) bytes = DamageOnce(bytes);
        return bytes;
    }

    /// <summary>Replaces, removes, adds, doubles or exchanges values of a JSON document.</summary>
    public byte[] DamageJson(byte[] json)
    {
        var root = JsonNode.Parse(json)!;
        for (var times = Random.Next(4) == 0 ? 3 : 1; times > 0; times--) DamageOnce(root);
        return Encoding.UTF8.GetBytes(root.ToJsonString().Replace(HalfPair, "\"\\ud800\"", StringComparison.Ordinal));
    }

    /// <summary>The same for lines that are JSON each or for the one header of a safetensors file.</summary>
    public byte[] DamageHeader(byte[] safetensors)
    {
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(safetensors);
        var header = DamageJson(safetensors[8..(8 + length)]);
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, Random.Next(8) == 0 ? (ulong)Random.NextInt64() : (ulong)header.Length);
        return [.. prefix, .. header, .. safetensors[(8 + length)..]];
    }

    private byte[] DamageOnce(byte[] bytes)
    {
        if (bytes.Length == 0) return [(byte)Random.Next(256)];
        var (at, other, copy) = (Random.Next(bytes.Length), Random.Next(bytes.Length), bytes.ToArray());
        switch (Random.Next(9))
        {
            case 0:
                copy[at] ^= (byte)(1 << Random.Next(8));
                return copy;
            case 1:
                copy[at] = (byte)Random.Next(256);
                return copy;
            case 2:
                return bytes[..at];
            case 3:
                return bytes[at..];
            case 4:
                var more = new byte[Random.Next(1, Random.Next(20) == 0 ? 100_000 : 64)];
                if (Random.Next(2) == 0) Random.NextBytes(more);
                return [.. bytes[..at], .. more, .. bytes[at..]];
            case 5:
                var (from, to) = (Math.Min(at, other), Math.Max(at, other));
                return Random.Next(2) == 0 ? [.. bytes[..from], .. bytes[to..]] : [.. bytes[..to], .. bytes[from..]];
            case 6:
                HostileNumber(copy.AsSpan(Random.Next(2) == 0 ? 0 : at));
                return copy;
            case 7:
                return OtherDigit(copy);
            default:
                return [.. bytes[..at], .. Encoding.UTF8.GetBytes(OneOf(s_hostile)), .. bytes[at..]];
        }
    }

    private void HostileNumber(Span<byte> place)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, OneOf<long>(
            [0, -1, 1, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40, 100_000_000, 0x7f, 0xff7f]));
        if (Random.Next(2) == 0) number.Reverse();
        var size = Math.Min(place.Length, OneOf([1, 2, 4, 8]));
        number[..size].CopyTo(place);
    }

    private byte[] OtherDigit(byte[] bytes)
    {
        var digits = Enumerable.Range(0, bytes.Length).Where(i => char.IsAsciiDigit((char)bytes[i])).ToArray();
        if (digits.Length > 0) bytes[OneOf(digits)] = (byte)('0' + Random.Next(10));
        return bytes;
    }

    private void DamageOnce(JsonNode root)
    {
        var places = Places(root).ToArray();
        if (places.Length == 0) return;
        var (parent, key) = OneOf(places);
        switch (Random.Next(6))
        {
            case 0:
                if (parent is JsonObject fields) fields.Remove((string)key);
                else ((JsonArray)parent).RemoveAt((int)key);
                break;
            case 1:
                if (parent is JsonObject more) more["more"] = Hostile();
                else ((JsonArray)parent).Add(Hostile());
                break;
            case 2: // another value of the same document
                var (donor, name) = OneOf(places);
                Set(parent, key, Get(donor, name)?.DeepClone());
                break;
            case 3 when Get(parent, key)?.GetValueKind() == JsonValueKind.Number:
                Set(parent, key, JsonValue.Create(Random.Next(-2, 12)));
                break;
            case 4 when parent is JsonArray list:
                list.Add(Get(parent, key)?.DeepClone());
                break;
            default:
                Set(parent, key, Hostile());
                break;
        }
    }

    // What JSON cannot hold as a node goes in as text.
    private JsonNode? Hostile()
    {
        var text = OneOf(s_hostile);
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static JsonNode? Get(JsonNode parent, object key) => key is string name ? parent[name] : parent[(int)key];

    private static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (key is string name) parent[name] = value;
        else parent[(int)key] = value;
    }

    private static IEnumerable<(JsonNode Parent, object Key)> Places(JsonNode node)
    {
        IEnumerable<(object Key, JsonNode? Child)> children = node switch
        {
            JsonObject fields => fields.Select(field => ((object)field.Key, field.Value)),
            JsonArray items => items.Select((item, index) => ((object)index, item)),
            _ => [],
        };
        foreach (var (key, child) in children.ToArray())
        {
            yield return (node, key);
            if (child is null) continue;
            foreach (var place in Places(child)) yield return place;
        }
    }
}
