using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Engram.Learning;
using Engram.Persistence;
using Engram.Tests.Persistence;

namespace Engram.Tests.Fuzz;

/// <summary>
/// Bundles: the manifest or a part is damaged, half of the times under corrected hashes and seal, so that the damage gets
/// past them. A learner that loads one must be whole; one that refuses it must be as new, or refuse all further use.
/// </summary>
internal sealed class BundleTarget : FuzzTarget
{
    private const string None = "0000000000000000000000000000000000000000000000000000000000000000";

    private readonly string _fixture;
    private readonly string _folder;
    private readonly byte[] _manifest;
    private readonly (string Hash, byte[] Bytes)[] _parts;
    private readonly float[] _scores;
    private string? _added;
    private (string Path, byte[] Right)? _changed;
    private bool _resealed;

    public BundleTarget(string fixture) : base($"bundle {fixture}", fixture == "mlp" ? 20 : 15)
    {
        _fixture = fixture;
        _folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"engram-fuzz-{Environment.ProcessId}-{fixture}");
        Directory.CreateDirectory(Path.Combine(_folder, "parts"));
        var source = VersionFixtures.PathOf(Bundle.FormatVersion, fixture);
        _manifest = File.ReadAllBytes(Path.Combine(source, "manifest.json"));
        _parts = [.. Directory.GetFiles(Path.Combine(source, "parts")).Order(StringComparer.Ordinal).Select(
            file => (Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file)))];
        foreach (var (hash, bytes) in _parts) File.WriteAllBytes(PathOf(hash), bytes);
        File.WriteAllBytes(Path.Combine(_folder, "manifest.json"), _manifest);
        using var learner = VersionFixtures.New(_fixture);
        Bundle.Restore(learner, _folder);
        _scores = VersionFixtures.Scores(learner);
    }

    public override bool IsDocumented(Exception problem) => problem is InvalidDataException or FileNotFoundException;

    public override long Make(Mutator mutator)
    {
        PutBack();
        _resealed = mutator.Random.Next(4) > 0;
        var manifest = mutator.Random.Next(2) == 0 ? MutantManifest(mutator) : MutantPart(mutator);
        File.WriteAllBytes(Path.Combine(_folder, "manifest.json"), manifest);
        return manifest.Length + Directory.GetFiles(Path.Combine(_folder, "parts")).Sum(file => new FileInfo(file).Length);
    }

    public override void Read()
    {
        using var scope = NewDisposeScope(); // a learner's own modules are built in its maker's scope
        Exception? refused = null;
        using (var learner = VersionFixtures.New(_fixture))
        {
            using var before = learner.Context.Arena.Values.clone();
            try
            {
                Bundle.Restore(learner, _folder);
                CheckWhole(learner);
            }
            catch (Exception problem) when (IsDocumented(problem))
            {
                refused = problem;
                if (learner.IsFresh && before.equal(learner.Context.Arena.Values).all().item<bool>()) learner.CheckWhole();
                else Assert.Throws<InvalidOperationException>(learner.CheckWhole);
            }
        }
        try
        {
            using var model = Bundle.LoadModel(_folder, logitsOnly: true);
            Assert.Equal(model.Classes.Count, model.Model.Head.ClassCount);
        }
        catch (Exception problem) when (IsDocumented(problem))
        {
        }
        if (refused is not null) throw refused;
    }

    public override void Dispose() => Directory.Delete(_folder, recursive: true);

    private string PathOf(string hash) => Path.Combine(_folder, "parts", $"{hash}.safetensors");

    private void CheckWhole(Learner learner)
    {
        learner.CheckWhole();
        Assert.Equal(learner.Classes.Count, learner.Context.Model.Head.ClassCount);
        var seen = learner.InputShape is null || learner.InputShape is [6];
        if (learner.Classes.Count > 0 && seen)
        {
            var scores = VersionFixtures.Scores(learner);
            Assert.Equal(5 * learner.Classes.Count, scores.Length);
            // Without new hashes nothing can have changed.
            if (!_resealed) Assert.Equal(_scores, scores);
        }
        else
        {
            Assert.True(_resealed);
        }
    }

    private byte[] MutantManifest(Mutator mutator)
    {
        if (mutator.Random.Next(5) == 0) return mutator.Damage(_manifest);
        var mutant = mutator.DamageJson(_manifest);
        return _resealed ? Seal(JsonNode.Parse(mutant)!) : mutant;
    }

    private byte[] MutantPart(Mutator mutator)
    {
        var (hash, right) = mutator.OneOf(_parts);
        var wrong = mutator.Random.Next(2) == 0 ? mutator.DamageHeader(right) : mutator.Damage(right);
        if (!_resealed)
        {
            File.WriteAllBytes(PathOf(hash), wrong);
            _changed = (PathOf(hash), right);
            return _manifest;
        }
        var manifest = JsonNode.Parse(_manifest)!;
        var part = manifest["parts"]!.AsArray().First(part => (string)part!["sha256"]! == hash)!;
        var name = Convert.ToHexStringLower(SHA256.HashData(wrong));
        (part["sha256"], part["bytes"]) = (name, wrong.Length);
        if (!File.Exists(PathOf(name)))
        {
            File.WriteAllBytes(PathOf(name), wrong);
            _added = PathOf(name);
        }
        return Seal(manifest);
    }

    private void PutBack()
    {
        if (_added is { } added) File.Delete(added);
        if (_changed is { } changed) File.WriteAllBytes(changed.Path, changed.Right);
        (_added, _changed) = (null, null);
    }

    private static byte[] Seal(JsonNode manifest)
    {
        if (manifest is not JsonObject fields) return Encoding.UTF8.GetBytes(manifest.ToJsonString());
        fields["id"] = None;
        var text = fields.ToJsonString();
        return Encoding.UTF8.GetBytes(text.Replace(
            None, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), StringComparison.Ordinal));
    }
}
