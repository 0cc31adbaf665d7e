using System.IO.Compression;
using System.Text;
using Engram.Data;
using Engram.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Fuzz;

/// <summary>Every format that the library reads.</summary>
internal static class FuzzTargets
{
    // Each keeps something that no other does.
    private static readonly string[] s_strategies =
        ["icarl", "gem", "gss", "gdumb", "packnet", "progressive", "xdg", "knn", "slda", "dgr", "generative-classifier", "brain-inspired"];

    public static FuzzTarget[] All() =>
    [
        BundleTarget.OfFixture("mlp", 20), BundleTarget.OfFixture("batch-norm", 15),
        .. s_strategies.Select(name => BundleTarget.OfStrategy(name, 3, 6)), BundleTarget.OfStrategy("dgr-gan", 3, 1, 4, 4), new AnalyticTarget(), new SafetensorsTarget(), new IdxTarget(zipped: false),
        new IdxTarget(zipped: true), new RowsTarget(csv: true), new RowsTarget(csv: false),
    ];

    private sealed class SafetensorsTarget : FileTarget
    {
        private readonly byte[] _whole;

        public SafetensorsTarget() : base("safetensors", 25, ".safetensors")
        {
            using var scope = NewDisposeScope();
            using var stream = new MemoryStream();
            SafetensorsFile.Write(
                stream,
                new Dictionary<string, Tensor>
                {
                    ["weight"] = ones(3, 2),
                    ["half"] = ones(3, ScalarType.Float16),
                    ["step"] = tensor(7L),
                    ["mask"] = ones(4, ScalarType.Bool),
                    ["empty"] = zeros(0, 5),
                    ["bytes"] = arange(9).to(ScalarType.Byte),
                },
                new Dictionary<string, string> { ["by"] = "engram" });
            _whole = stream.ToArray();
        }

        protected override byte[] Mutant(Mutator mutator) =>
            mutator.Random.Next(3) > 0 ? mutator.DamageHeader(_whole) : mutator.Damage(_whole);

        protected override void Read(string path)
        {
            using var scope = NewDisposeScope();
            var tensors = SafetensorsFile.Read(path);
            var (entries, _) = SafetensorsFile.Inspect(path);
            Assert.Equal(entries.Count, tensors.Count);
            foreach (var entry in entries) Assert.Equal(entry.Shape, tensors[entry.Name].shape);
        }
    }

    private sealed class IdxTarget(bool zipped) : FileTarget(zipped ? "idx-gz" : "idx", 10, zipped ? ".gz" : "")
    {
        private readonly byte[] _whole =
            [0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 3, .. Enumerable.Range(0, 42).Select(i => (byte)i)];

        // Half of the zipped ones are damaged inside, half outside.
        protected override byte[] Mutant(Mutator mutator) => (zipped, mutator.Random.Next(2)) switch
        {
            (true, 0) => mutator.Damage(Zip(_whole)),
            (true, _) => Zip(mutator.Damage(_whole)),
            _ => mutator.Damage(_whole),
        };

        protected override void Read(string path)
        {
            using var scope = NewDisposeScope();
            var (sizes, values) = IdxFile.Read(path, 3);
            Assert.Equal(values.Length, sizes.Aggregate(1L, (product, size) => product * size));
            Assert.Equal([(long)sizes[0], 2, 3], SampleFile.Read(path, [2, 3], ScalarType.Byte).shape);
        }

        private static byte[] Zip(byte[] content)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(content);
            return packed.ToArray();
        }
    }

    private sealed class RowsTarget(bool csv) : FileTarget(csv ? "csv" : "json-lines", 10, csv ? ".csv" : ".jsonl")
    {
        private readonly byte[] _whole = Encoding.UTF8.GetBytes(csv
            ? "a,b,c,d,e,f\n1,2,3,4,5,6\n0,255,1e2,7,8,9\r\n 1, 2 ,3,4,5,6\n"
            : "[1,2,3,4,5,6]\n[0,255,1e2,7,8,9]\n\n[1, 2 ,3,4,5,6]\n");

        private ScalarType _type;

        protected override byte[] Mutant(Mutator mutator)
        {
            _type = mutator.OneOf([ScalarType.Byte, ScalarType.Float32]);
            if (csv || mutator.Random.Next(2) == 0) return mutator.Damage(_whole);
            var lines = Encoding.UTF8.GetString(_whole).Split('\n');
            lines[0] = Encoding.UTF8.GetString(mutator.DamageJson(Encoding.UTF8.GetBytes(lines[0])));
            return Encoding.UTF8.GetBytes(string.Join('\n', lines));
        }

        protected override void Read(string path)
        {
            using var scope = NewDisposeScope();
            var samples = SampleFile.Read(path, [2, 3], _type);
            Assert.True(samples.shape[0] > 0 && samples.shape[1] == 2 && samples.dtype == _type);
            Assert.True(_type == ScalarType.Byte || samples.isfinite().all().item<bool>());
        }
    }
}
