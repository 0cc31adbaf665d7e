using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
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

    private readonly Func<Learner> _new;
    private readonly int? _task;
    private readonly long[] _shape;
    private readonly string _folder;
    private readonly byte[] _manifest;
    private readonly string _id;
    private readonly (string Hash, byte[] Bytes)[] _parts;
    private readonly float[] _scores;
    private readonly ISampleSource _samples;
    private readonly Dictionary<int, Experience> _experiences = [];
    private readonly long _miscounted; // each parameter of a module leaves TorchSharp's count of tensors one too high
    private string? _added;
    private (string Path, byte[] Right)? _changed;
    private bool _resealed;

    private BundleTarget(string name, int share, string source, Func<Learner> create, long[] shape, int? task = null)
        : base($"bundle {name}", share)
    {
        (_new, _task, _shape, _samples) = (create, task, shape, VersionFixtures.Experience(5, shape).Train);
        _folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"engram-fuzz-{Environment.ProcessId}-{name}");
        Directory.CreateDirectory(Path.Combine(_folder, "parts"));
        _manifest = File.ReadAllBytes(Path.Combine(source, "manifest.json"));
        _id = (string)JsonNode.Parse(_manifest)!["id"]!;
        _parts = [.. Directory.GetFiles(Path.Combine(source, "parts")).Order(StringComparer.Ordinal).Select(
            file => (Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file)))];
        foreach (var (hash, bytes) in _parts) File.WriteAllBytes(PathOf(hash), bytes);
        File.WriteAllBytes(Path.Combine(_folder, "manifest.json"), _manifest);
        // What earlier tests left to the collector must not go while this is counted.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var count = Tensor.TotalCount;
        using (var scope = NewDisposeScope())
        using (var learner = _new())
        {
            Bundle.Restore(learner, _folder);
            _scores = VersionFixtures.Scores(learner, _task, _shape);
            GoOn(learner);
        }
        _miscounted = Tensor.TotalCount - count;
    }

    /// <summary>A bundle that the repository keeps.</summary>
    public static BundleTarget OfFixture(string fixture, int share) =>
        new(fixture, share, VersionFixtures.PathOf(Bundle.FormatVersion, fixture), () => VersionFixtures.New(fixture), [6]);

    /// <summary>A bundle of a strategy of the library, with two experiences learnt: memories, generators, columns, masks.</summary>
    public static BundleTarget OfStrategy(string name, int share, params long[] shape)
    {
        var strategy = Strategies.Named(name);
        var options = new LearnerOptions { BatchSize = 4, Scenario = strategy.Scenarios[0] };
        var tasks = options.Scenario == Scenario.TaskIncremental;
        using var folder = new TemporaryFolder();
        using (var scope = NewDisposeScope())
        using (var learner = New())
        {
            foreach (var index in new[] { 0, 2 })
                learner.Teach(new Experience(index, VersionFixtures.Experience(index, shape).Train, tasks ? index : null));
            Bundle.Save(learner, folder["bundle"]);
        }
        return new(name, share, folder["bundle"], New, shape, tasks ? 0 : null);

        Learner New() => new(
            () =>
            {
                var inputs = shape.Aggregate(1, (product, side) => product * (int)side);
                var backbone = strategy.Backbone?.Invoke(inputs) ?? new Mlp(inputs, 4);
                return new ContinualModel(backbone, strategy.Head?.Invoke(backbone.FeatureCount));
            },
            options, [.. strategy.Create(new StrategyBudget(10) { GeneratorWidths = [4] })], new LearnerCases.SlowClock());
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
        Assert.True(Tensor.TotalCount - count <= _miscounted, $"{Tensor.TotalCount - count - _miscounted} tensors leak with the learner");
        ReadModel();
        ReadPredictor();
        if (refused is not null) throw refused;
    }

    private Exception? ReadLearner()
    {
        using var scope = NewDisposeScope();
        using var learner = _new();
        using var before = learner.Context.Arena.Values.clone();
        try
        {
            Bundle.Restore(learner, _folder);
            CheckWhole(learner);
            GoOn(learner);
            return null;
        }
        catch (InvalidOperationException problem) when (_resealed && problem.Message.StartsWith("statistics:", StringComparison.Ordinal))
        {
            return null; // whole, of sums that no samples have: said as documented where they are solved
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

    // Without the code that trained it: mechanisms that predict come from what the bundle says of them.
    private void ReadPredictor()
    {
        var count = Tensor.TotalCount;
        try
        {
            using var scope = NewDisposeScope();
            using var predictor = Bundle.LoadToPredict(_folder);
            Assert.Equal(predictor.Classes.Count, predictor.Context.Model.Head.ClassCount);
        }
        catch (Exception problem) when (IsDocumented(problem))
        {
        }
        Assert.True(Tensor.TotalCount - count <= _miscounted, $"{Tensor.TotalCount - count - _miscounted} tensors leak with the predictor");
    }

    public override void Dispose() => Directory.Delete(_folder, recursive: true);

    private string PathOf(string hash) => Path.Combine(_folder, "parts", $"{hash}.safetensors");

    private void CheckWhole(Learner learner)
    {
        learner.CheckWhole();
        Assert.Equal(learner.Classes.Count, learner.Context.Model.Head.ClassCount);
        var seen = learner.InputShape is null || (learner.InputShape.SequenceEqual(_shape) && learner.InputType == ScalarType.Byte);
        if (learner.Classes.Count > 0 && seen)
        {
            var scores = VersionFixtures.Scores(learner, _task, _shape);
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
            _experiences[index] = experience = new Experience(index, _samples, _task is null ? null : index);
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
