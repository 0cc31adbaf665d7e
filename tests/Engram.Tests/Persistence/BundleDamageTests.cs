using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

public class BundleDamageTests
{
    private static readonly string[] s_hostile =
    [
        "-1", "0", "1", "3", "2147483647", "2147483648", "9223372036854775807", "1e308", "1e400", "0.5", "null", "true", "\"\"",
        "\"../../../../etc/passwd\"", "\"/etc/passwd\"", "\"mlp 100000-100000\"", "\"mlp 2147483647-2147483647\"",
        "[]", "{}", "[null]", "[-1]", "[2147483647,2147483647]", "\"NaN\"", "\"" + new string('x', 5000) + "\"",
    ];

    // Flips, cuts, grows and inserts lengths that lie.
    private static readonly Gen<Func<byte[], byte[]>> s_damage = Gen.OneOf<Func<byte[], byte[]>>(
        Gen.Select(Gen.UInt, Gen.Byte).Select((at, value) => (Func<byte[], byte[]>)(bytes =>
            With(bytes, copy => copy[at % bytes.Length] ^= (byte)(value | 1)))),
        Gen.UInt.Select(at => (Func<byte[], byte[]>)(bytes => bytes[..(int)(at % bytes.Length)])),
        Gen.Select(Gen.UInt, Gen.Byte.Array[1, 64]).Select((at, more) => (Func<byte[], byte[]>)(bytes =>
            [.. bytes[..(int)(at % bytes.Length)], .. more, .. bytes[(int)(at % bytes.Length)..]])),
        Gen.ULong.Select(length => (Func<byte[], byte[]>)(bytes =>
            With(bytes, copy => BitConverter.TryWriteBytes(copy, length)))),
        Gen.UInt[0, 2000].Select(length => (Func<byte[], byte[]>)(bytes =>
            With(bytes, copy => BitConverter.TryWriteBytes(copy, (ulong)length)))),
        Gen.Select(Gen.UInt, Gen.UInt[0, 9]).Select((at, digit) => (Func<byte[], byte[]>)(bytes =>
            With(bytes, copy => OtherDigit(copy, at, digit)))));

    [Fact]
    public void Safetensors_headers_mutated_a_thousand_times_give_tensors_or_a_clean_error()
    {
        using var stream = new MemoryStream();
        using (NewDisposeScope())
            SafetensorsFile.Write(stream, new Dictionary<string, Tensor> { ["a"] = zeros(3, 2), ["b"] = arange(5), ["c"] = ones(4, ScalarType.Bool) });
        var whole = stream.ToArray();
        s_damage.Sample(damage =>
        {
            using var scope = NewDisposeScope();
            try
            {
                SafetensorsFile.Read(new MemoryStream(damage(whole)), "file");
            }
            catch (InvalidDataException)
            {
            }
        }, iter: 1000, threads: 1);
    }

    [Fact]
    public void Parts_mutated_under_their_right_hash_never_give_half_a_learner()
    {
        using var folder = new TemporaryFolder();
        var whole = SavedIn(folder);
        Gen.Select(Gen.UInt[0, 4], s_damage, Gen.Bool).Sample((which, damage, resealed) =>
        {
            var manifest = JsonNode.Parse(whole)!;
            var part = manifest["parts"]![(int)which]!;
            var path = Path.Combine(folder["bundle"], "parts", $"{part["sha256"]}.safetensors");
            var right = File.ReadAllBytes(path);
            var wrong = damage(right);
            var name = Convert.ToHexStringLower(SHA256.HashData(wrong));
            var target = resealed ? path.Replace((string)part["sha256"]!, name, StringComparison.Ordinal) : path;
            if (resealed) (part["sha256"], part["bytes"]) = (name, wrong.Length);
            File.WriteAllBytes(target, wrong);
            Write(folder, resealed ? Seal(manifest) : whole);
            IsWholeOrRefused(folder["bundle"]);
            File.Delete(target);
            File.WriteAllBytes(path, right);
        }, iter: 500, threads: 1);
    }

    [Fact]
    public void Manifests_mutated_under_their_right_seal_never_give_half_a_learner()
    {
        using var folder = new TemporaryFolder();
        var whole = SavedIn(folder);
        Gen.Select(Gen.UInt, Gen.UInt, s_damage, Gen.UInt[0, 3]).Sample((place, value, damage, kind) =>
        {
            var manifest = JsonNode.Parse(whole)!;
            if (kind > 0)
            {
                var leaves = Places(manifest).ToArray();
                leaves[place % leaves.Length](JsonNode.Parse(s_hostile[value % s_hostile.Length]));
            }
            Write(folder, kind > 0 ? Seal(manifest) : damage(whole));
            IsWholeOrRefused(folder["bundle"]);
        }, iter: 700, threads: 1);
    }

    [Fact]
    public void A_damaged_part_a_missing_part_and_a_bundle_of_the_future_are_named()
    {
        using var folder = new TemporaryFolder();
        var whole = SavedIn(folder);
        var manifest = JsonNode.Parse(whole)!;
        manifest["version"] = 3;
        manifest["news"] = true;
        Write(folder, Seal(manifest));
        Assert.Contains("version 3 of the format, expected 1 to 2; a newer Engram", Refused(folder));
        Write(folder, With(whole, copy => copy[^20] ^= 1));
        Assert.Contains("manifest.json: damaged", Refused(folder));
        Write(folder, whole);
        var head = JsonNode.Parse(whole)!["parts"]!.AsArray().Single(part => (string)part!["name"]! == "head")!;
        var path = Path.Combine(folder["bundle"], "parts", $"{head["sha256"]}.safetensors");
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, With(bytes, copy => copy[^1] ^= 1));
        Assert.Contains("part head: SHA-256", Refused(folder));
        File.WriteAllBytes(path, bytes[..^4]);
        Assert.Contains($"part head: {bytes.Length - 4} bytes, expected a file of {bytes.Length}", Refused(folder));
        File.Delete(path);
        Assert.Contains("part head is missing", Refused(folder));
        if (OperatingSystem.IsWindows()) return;
        File.WriteAllBytes(folder["elsewhere"], bytes);
        File.CreateSymbolicLink(path, folder["elsewhere"]);
        Assert.Contains("part head", Refused(folder));
    }

    private static Learner New() => new(
        () => new ContinualModel(new Mlp(6, 4)), new LearnerOptions { BatchSize = 4 },
        [new ElasticWeightConsolidation(), new Replay(new ReplayOptions { Capacity = 10 })]);

    private static byte[] SavedIn(TemporaryFolder folder)
    {
        using var scope = NewDisposeScope();
        using var learner = New();
        learner.Teach(new Experience(0, TensorSource.OfClasses(ones(12, 6), [.. Enumerable.Range(0, 12).Select(i => (Label)(i % 3))])));
        Bundle.Save(learner, folder["bundle"]);
        return File.ReadAllBytes(Path.Combine(folder["bundle"], "manifest.json"));
    }

    private static void IsWholeOrRefused(string bundle)
    {
        using var learner = New();
        using var before = learner.Context.Arena.Values.clone();
        try
        {
            Bundle.Restore(learner, bundle);
            Assert.Equal(learner.Context.Classes.Count, learner.Context.Model.Head.ClassCount);
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException)
        {
            if (learner.IsFresh && before.equal(learner.Context.Arena.Values).all().item<bool>())
                learner.CheckWhole();
            else
                Assert.Throws<InvalidOperationException>(() => learner.CheckWhole());
        }
        try
        {
            Bundle.LoadModel(bundle, logitsOnly: true).Dispose();
        }
        catch (Exception problem) when (problem is InvalidDataException or FileNotFoundException)
        {
        }
    }

    private static string Refused(TemporaryFolder folder)
    {
        using var learner = New();
        var problem = Assert.ThrowsAny<Exception>(() => Bundle.Restore(learner, folder["bundle"]));
        Assert.True(problem is InvalidDataException or FileNotFoundException, problem.ToString());
        Assert.True(learner.IsFresh);
        return problem.Message;
    }

    private static void Write(TemporaryFolder folder, byte[] manifest) =>
        File.WriteAllBytes(Path.Combine(folder["bundle"], "manifest.json"), manifest);

    private static byte[] Seal(JsonNode manifest)
    {
        var none = new string('0', 64);
        if (manifest is not JsonObject fields) return Encoding.UTF8.GetBytes(manifest.ToJsonString());
        fields["id"] = none;
        var text = fields.ToJsonString();
        return Encoding.UTF8.GetBytes(text.Replace(
            none, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), StringComparison.Ordinal));
    }

    private static byte[] With(byte[] bytes, Action<byte[]> change)
    {
        var copy = bytes.ToArray();
        change(copy);
        return copy;
    }

    private static void OtherDigit(byte[] bytes, uint at, uint digit)
    {
        var digits = Enumerable.Range(0, bytes.Length).Where(i => char.IsAsciiDigit((char)bytes[i])).ToArray();
        if (digits.Length > 0) bytes[digits[at % digits.Length]] = (byte)('0' + digit);
    }

    // A setter for every value inside, at any depth.
    private static IEnumerable<Action<JsonNode?>> Places(JsonNode node)
    {
        if (node is JsonObject fields)
            foreach (var (name, child) in fields.ToArray())
            {
                yield return value => fields[name] = value;
                if (child is not null)
                    foreach (var place in Places(child)) yield return place;
            }
        else if (node is JsonArray items)
            for (var i = 0; i < items.Count; i++)
            {
                var index = i;
                yield return value => items[index] = value;
                if (items[i] is { } child)
                    foreach (var place in Places(child)) yield return place;
            }
    }
}
