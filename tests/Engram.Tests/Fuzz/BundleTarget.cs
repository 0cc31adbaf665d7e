using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

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
    private readonly string _id;
    private readonly (string Hash, byte[] Bytes)[] _parts;
    private readonly float[] _scores;
    private readonly ISampleSource _samples = VersionFixtures.Experience(5).Train;
    private readonly Dictionary<int, Experience> _experiences = [];
    private readonly int _parameters; // each leaves TorchSharp's count of tensors one too high
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
        _id = (string)JsonNode.Parse(_manifest)!["id"]!;
        _parts = [.. Directory.GetFiles(Path.Combine(source, "parts")).Order(StringComparer.Ordinal).Select(
            file => (Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file)))];
        foreach (var (hash, bytes) in _parts) File.WriteAllBytes(PathOf(hash), bytes);
        File.WriteAllBytes(Path.Combine(_folder, "manifest.json"), _manifest);
        using var learner = VersionFixtures.New(_fixture);
        Bundle.Restore(learner, _folder);
        _scores = VersionFixtures.Scores(learner);
        _parameters = learner.Context.Model.parameters().Count();
    }

    public override bool IsDocumented(Exception problem) => problem is InvalidDataException or FileNotFoundException;

    public override bool CountsItsTensors => true;

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
        var count = Tensor.TotalCount;
        var refused = ReadLearner();
        Assert.True(Tensor.TotalCount - count <= _parameters, $"{Tensor.TotalCount - count - _parameters} tensors leak with the learner");
        ReadModel();
        if (refused is not null) throw refused;
    }

    private Exception? ReadLearner()
    {
        using var scope = NewDisposeScope();
        using var learner = VersionFixtures.New(_fixture);
        using var before = learner.Context.Arena.Values.clone();
        try
        {
            Bundle.Restore(learner, _folder);
            CheckWhole(learner);
            GoOn(learner);
            return null;
        }
        catch (Exception problem) when (IsDocumented(problem))
        {
            if (learner.IsFresh && before.equal(learner.Context.Arena.Values).all().item<bool>()) learner.CheckWhole();
            else Assert.Throws<InvalidOperationException>(learner.CheckWhole);
            return problem;
        }
    }

    private void ReadModel()
    {
        var count = Tensor.TotalCount;
        try
        {
            int parameters;
            using (var model = Bundle.LoadModel(_folder, logitsOnly: true))
            {
                Assert.Equal(model.Classes.Count, model.Model.Head.ClassCount);
                parameters = model.Model.parameters().Count();
            }
            Assert.True(Tensor.TotalCount - count <= parameters, $"{Tensor.TotalCount - count - parameters} tensors leak with the model");
        }
        catch (Exception problem) when (IsDocumented(problem))
        {
        }
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

    // What loads can learn, or says as documented why not: inputs of another shape, an experience learnt before.
    private void GoOn(Learner learner)
    {
        var index = learner.Cursor?.Experience ?? 5;
        if (!_experiences.TryGetValue(index, out var experience))
            _experiences[index] = experience = new Experience(index, _samples);
        try
        {
            learner.Teach(experience);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
        }
    }

    private byte[] MutantManifest(Mutator mutator)
    {
        if (mutator.Random.Next(5) == 0) return mutator.Damage(_manifest);
        var mutant = mutator.DamageJson(_manifest);
        return _resealed ? Seal(mutant) : mutant;
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
        return Seal(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    private void PutBack()
    {
        if (_added is { } added) File.Delete(added);
        if (_changed is { } changed) File.WriteAllBytes(changed.Path, changed.Right);
        (_added, _changed) = (null, null);
    }

    // As text, for what a mutator writes need not be JSON to our libraries.
    private byte[] Seal(byte[] manifest)
    {
        var open = Encoding.UTF8.GetString(manifest).Replace(_id, None, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(open.Replace(
            None, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(open))), StringComparison.Ordinal));
    }
}
