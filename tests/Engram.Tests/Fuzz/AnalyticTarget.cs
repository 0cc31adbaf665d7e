using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Persistence;
using Engram.Tests.Analytic;

namespace Engram.Tests.Fuzz;

/// <summary>Bundles of analytic learners, three quarters of them under corrected hashes and seal.</summary>
internal sealed class AnalyticTarget : FuzzTarget
{
    private static readonly string s_none = new('0', 64);

    private readonly string _folder =
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"engram-fuzz-{Environment.ProcessId}-analytic");

    private readonly (JsonObject Manifest, Dictionary<string, byte[]> Parts, float[] Scores)[] _bundles;
    private float[]? _expected; // where nothing that is believed was changed

    public AnalyticTarget() : base("analytic bundle", 20) => _bundles = [.. AnalyticFixtures.Names.Select(name =>
    {
        var path = AnalyticFixtures.PathOf(AnalyticBundle.FormatVersion, name);
        using var learner = AnalyticBundle.Load(path);
        return (JsonNode.Parse(File.ReadAllBytes(Path.Combine(path, "manifest.json")))!.AsObject(),
            Directory.GetFiles(Path.Combine(path, "parts")).ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, File.ReadAllBytes),
            AnalyticFixtures.Scores(learner));
    })];

    // Its extractor may be a backbone, whose parameters TorchSharp counts too high.
    public override bool CountsItsTensors => true;

    public override bool IsDocumented(Exception problem) => problem is InvalidDataException or FileNotFoundException;

    public override long Make(Mutator mutator)
    {
        var (manifest, parts, scores) = mutator.OneOf(_bundles);
        var (json, files) = ((JsonObject)manifest.DeepClone(), new Dictionary<string, byte[]>(parts));
        var (reseal, id) = (mutator.Random.Next(4) > 0, (string)manifest["id"]!);
        byte[] bytes;
        if (mutator.Random.Next(2) == 0)
        {
            bytes = Encoding.UTF8.GetBytes(json.ToJsonString());
            bytes = mutator.Random.Next(5) == 0 ? mutator.Damage(bytes) : mutator.DamageJson(bytes);
        }
        else
        {
            var hash = mutator.OneOf(files.Keys.ToArray());
            var wrong = mutator.Random.Next(2) == 0 ? mutator.DamageHeader(files[hash]) : mutator.Damage(files[hash]);
            var name = reseal ? Convert.ToHexStringLower(SHA256.HashData(wrong)) : hash;
            files[name] = wrong;
            foreach (var part in json["parts"]!.AsArray().Where(part => (string)part!["sha256"]! == hash))
                if (reseal) (part!["sha256"], part["bytes"]) = (name, wrong.Length);
            bytes = Encoding.UTF8.GetBytes(json.ToJsonString());
        }
        _expected = reseal ? null : scores;
        return Write(reseal ? Seal(bytes, id) : bytes, files);
    }

    public override void Read()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        Bundle.Describe(_folder);
        using var learner = AnalyticBundle.Load(_folder);
        try
        {
            var scores = AnalyticFixtures.Scores(learner);
            Assert.Equal(0, scores.Length % 5);
            if (_expected is not null) Assert.Equal(_expected, scores);
            learner.Learn(AnalyticFixtures.Experience(5));
        }
        catch (Exception problem) when (_expected is null && problem is ArgumentException or InvalidOperationException)
        {
            // Whole, but of other inputs, or with nothing learnt: said as documented.
        }
    }

    public override void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private long Write(byte[] manifest, Dictionary<string, byte[]> files)
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(Path.Combine(_folder, "parts"));
        foreach (var (hash, bytes) in files) File.WriteAllBytes(Path.Combine(_folder, "parts", $"{hash}.safetensors"), bytes);
        File.WriteAllBytes(Path.Combine(_folder, "manifest.json"), manifest);
        return manifest.Length + files.Values.Sum(bytes => bytes.Length);
    }

    private static byte[] Seal(byte[] manifest, string id)
    {
        var open = Encoding.UTF8.GetString(manifest).Replace(id, s_none, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(open.Replace(
            s_none, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(open))), StringComparison.Ordinal));
    }
}
