using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Memory;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

public class KeptInOtherFormsTests
{
    [Fact]
    public void Cosine_codes_are_those_of_the_definition()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var codec = new CosineCodec([1, 4, 3], 5);
        var x = rand(2, 12);
        var codes = codec.Encode(x).data<byte>().ToArray();
        (int V, int U)[] lowest = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2)];
        var rows = Reference.Rows(x);
        for (var n = 0; n < 2; n++)
            for (var c = 0; c < 5; c++)
            {
                var (v, u) = lowest[c];
                var sum = 0.0;
                for (var i = 0; i < 4; i++)
                    for (var j = 0; j < 3; j++)
                        sum += rows[n][(i * 3) + j] * Math.Cos(Math.PI * ((2 * i) + 1) * v / 8) * Math.Cos(Math.PI * ((2 * j) + 1) * u / 6);
                sum *= Math.Sqrt((v == 0 ? 1.0 : 2) / 4) * Math.Sqrt((u == 0 ? 1.0 : 2) / 3);
                Assert.Equal(128 + Math.Round(sum / (Math.Sqrt(12) / 127)), codes[(n * 5) + c]);
            }
    }

    [Fact]
    public void All_coefficients_give_the_image_back_and_a_tenth_gives_most_of_it()
    {
        using var scope = NewDisposeScope();
        var x = UnitInputs.Of(TestData.Mnist.Test.Balanced(5).Inputs([.. Enumerable.Range(0, 50).Select(i => (long)i)]));
        using var all = new CosineCodec([1, 28, 28], 784);
        using var few = new CosineCodec([1, 28, 28], 64);
        float Error(CosineCodec codec) => codec.Decode(codec.Encode(x)).sub(x).square().mean().item<float>();
        Assert.True(Error(all) < 0.005, $"{Error(all)} with all coefficients");
        Assert.True(Error(few) < 0.35f * x.sub(x.mean()).square().mean().item<float>(), $"{Error(few)} with 64 coefficients");
    }

    [Fact]
    public void A_network_behind_the_same_transform_sees_a_code_as_it_sees_the_image()
    {
        using var scope = NewDisposeScope();
        var x = UnitInputs.Of(TestData.Mnist.Test.Balanced(5).Inputs([.. Enumerable.Range(0, 50).Select(i => (long)i)]));
        using var codec = new CosineCodec([1, 28, 28], 54);
        var step = 28f / 127;
        Assert.True(codec.Transform(codec.Decode(codec.Encode(x))).sub(codec.Transform(x)).abs().max().item<float>() <= (step / 2) + 1e-4);
    }

    [Fact]
    public void A_compressed_exemplar_takes_a_tenth_of_the_bytes()
    {
        var (raw, compressed) = (new Replay(new ReplayOptions { Capacity = 100 }), new CompressedReplay(new CompressedReplayOptions { Capacity = 1000 }));
        foreach (RetentionMechanism mechanism in new RetentionMechanism[] { raw, compressed })
        {
            using var learner = new Learner(() => new ContinualModel(new Mlp(784, 8)), null, [mechanism]);
            learner.Teach(SplitMnist.Experience(0, 600));
            var exemplars = mechanism == raw ? raw.Buffer.Count : compressed.Count;
            Assert.Equal(mechanism == raw ? 100 : 1000, exemplars);
            // 792 / 78 = 10.2, the places by which the buffer balances counted for codes alone.
            Assert.Equal(mechanism == raw ? 792 : 54 + 8 + 12, mechanism.MemoryBytes / exemplars);
        }
    }

    [Fact]
    public void Compressed_replay_keeps_what_naive_learning_loses()
    {
        using var learner = new Learner(
            () => new ContinualModel(new CosineMlp([1, 28, 28], 54, 64)), new LearnerOptions { BatchSize = 32 },
            [new CompressedReplay(new CompressedReplayOptions { Capacity = 400 })]);
        for (var e = 0; e < 2; e++) learner.Teach(SplitMnist.Experience(e, 600));
        var first = Evaluator.Accuracy(learner, SplitMnist.Test(0));
        Assert.True(first > 0.8, $"{first:f3} on the first pair, expected above 0.8 (naive: 0)");
    }

    [Fact]
    public void Features_come_back_within_half_a_step_of_their_sample_s_range()
    {
        using var scope = NewDisposeScope();
        manual_seed(8);
        using var codec = new QuantisedCodec();
        var features = cat([randn(20, 64), randn(20, 64) * 5e37, rand(20, 64) * 1e-6 + 3, full(1, 64, -7.5)]);
        var codes = codec.Encode(features);
        Assert.Equal([61, 64 + QuantisedCodec.RangeBytes], codes.shape);
        var (rows, back) = (Reference.Rows(features), Reference.Rows(codec.Decode(codes)));
        for (var n = 0; n < rows.Length; n++)
        {
            var half = (rows[n].Max() - rows[n].Min()) / 510;
            var rounding = 1e-6 * rows[n].Max(Math.Abs); // float32
            for (var i = 0; i < 64; i++) Assert.InRange(back[n][i] - rows[n][i], -half - rounding, half + rounding);
        }
    }

    [Fact]
    public void Quantised_features_of_old_classes_keep_what_naive_learning_loses_and_come_back_from_a_file()
    {
        using var scope = NewDisposeScope();
        using var front = new RandomFeatures(784, 100, seed: 1);
        CompressedReplay compressed = new(new CompressedReplayOptions { Capacity = 100 });
        Learner New(CompressedReplay mechanism) =>
            new(() => new ContinualModel(new Mlp(100, 64)), new LearnerOptions { BatchSize = 32 }, [mechanism]);
        using var learner = New(compressed);
        for (var e = 0; e < 2; e++) learner.Teach(new Experience(e, front.Samples(SplitMnist.Experience(e, 600).Train)));
        var test = front.Samples(SplitMnist.Test(0));
        var first = Evaluator.Accuracy(learner, test);
        Assert.True(first > 0.7, $"{first:f3} on the first pair, expected above 0.7 (naive: 0)");
        Assert.Equal(100 + QuantisedCodec.RangeBytes + 8 + 12, compressed.MemoryBytes / compressed.Count);

        using var folder = new TemporaryFolder();
        Bundle.Save(learner, folder["bundle"]);
        using var restored = Bundle.Load(
            folder["bundle"], () => new ContinualModel(new Mlp(100, 64)), new LearnerOptions { BatchSize = 32 }, [new CompressedReplay(new CompressedReplayOptions { Capacity = 100 })]);
        var next = new Experience(2, front.Samples(SplitMnist.Experience(2, 100).Train));
        learner.Teach(next);
        restored.Teach(next);
        var probe = test.Inputs([.. Enumerable.Range(0, 50).Select(i => (long)i)]);
        Assert.True(restored.Scores(probe).equal(learner.Scores(probe)).all().item<bool>());
    }

    [Fact]
    public void Samples_that_are_neither_images_nor_features_are_refused()
    {
        using var learner = new Learner(() => new ContinualModel(new Mlp(4, 4)), null, [new CompressedReplay()]);
        using var data = rand(4, 2, 2);
        var refusal = Assert.Throws<ArgumentException>(() => learner.Teach(new Experience(0, TensorSource.OfClasses(data, [0, 1, 0, 1], Label.Numbers(0, 2)))));
        Assert.Contains("samples of shape [2, 2], expected images", refusal.Message, StringComparison.Ordinal);
        using var flat = ones(2, 4, ScalarType.Byte);
        var bytes = Assert.Throws<ArgumentException>(() => learner.Teach(new Experience(0, TensorSource.OfClasses(flat, [0, 1], Label.Numbers(0, 2)))));
        Assert.Contains("samples of single bytes", bytes.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_nearest_are_those_of_a_search_in_plain_loops_also_after_removals()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var index = new NeighbourIndex(3);
        var (kept, labels) = (new List<double[]>(), new List<long>());
        for (var part = 0; part < 3; part++)
        {
            var vectors = randn(150, 3);
            var own = randint(4, [150], ScalarType.Int64);
            index.Add(vectors, own);
            kept.AddRange(Reference.Rows(vectors));
            labels.AddRange(own.data<long>().ToArray());
        }
        foreach (var slot in new[] { 449, 0, 17, 300 })
        {
            index.Remove(slot);
            (kept[slot], labels[slot]) = (kept[^1], labels[^1]);
            kept.RemoveAt(kept.Count - 1);
            labels.RemoveAt(labels.Count - 1);
        }
        Assert.Equal(446, index.Count);
        var queries = randn(5, 3);
        var (distances, found) = index.Nearest(queries, 4);
        foreach (var (query, row) in Reference.Rows(queries).Select((q, n) => (q, n)))
        {
            var expected = kept.Select((v, slot) => (Distance: v.Zip(query, (a, b) => (a - b) * (a - b)).Sum(), labels[slot])).Order().Take(4).ToArray();
            TinyProblem.AssertClose([.. expected.Select(pair => pair.Distance)], distances[row].data<double>().ToArray(), 1e-12);
            Assert.Equal(expected.Select(pair => pair.Item2), found[row].data<long>().ToArray());
        }
        Assert.Equal((512 * ((3 * 4) + 8)) + (446 * 12), index.Bytes); // room is taken in doublings
        index.TrimExcess();
        Assert.Equal(446 * ((3 * 4) + 8 + 12), index.Bytes);
        Assert.True(index.Nearest(queries, 4).Distances.equal(distances).all().item<bool>());
        for (var label = 0; label < 5; label++) // 4 was never there
            Assert.Equal(Enumerable.Range(0, 446).Where(slot => labels[slot] == label), index.SlotsOf(label));
    }

    // By ‖q‖² − 2 q·v + ‖v‖² in float32 an offset of 1e4 leaves nothing of distances about 1, and 1e20 gives NaN.
    [Theory]
    [InlineData(1e4, 1)]
    [InlineData(0, 1e20)]
    public void Neither_an_offset_nor_large_values_change_who_is_nearest(double offset, double scale)
    {
        using var scope = NewDisposeScope();
        manual_seed(7);
        using var index = new NeighbourIndex(20);
        var vectors = (randn(300, 20) * scale) + offset;
        index.Add(vectors, arange(300));
        var queries = (randn(5, 20) * scale) + offset;
        var (distances, found) = index.Nearest(queries, 10);
        var exact = vectors.to(ScalarType.Float64).sub(queries.to(ScalarType.Float64).unsqueeze(1)).square().sum([2L]);
        var (expected, slots) = exact.topk(10, dim: 1, largest: false);
        Assert.True(found.equal(slots).all().item<bool>());
        Assert.True(distances.sub(expected).abs().le(expected * 1e-12).all().item<bool>());
    }

    [Fact]
    public void A_class_is_predicted_while_its_features_are_kept_and_no_longer()
    {
        var neighbours = new NearestNeighbours(new NeighbourOptions { Capacity = 200 });
        using var learner = new Learner(() => new ContinualModel(new RawInputs(784)), null, [neighbours]);
        for (var e = 0; e < 2; e++) learner.Teach(SplitMnist.Experience(e, 100));
        Assert.Equal(200, neighbours.Index!.Count);
        Assert.All(Enumerable.Range(0, 4), id => Assert.Equal(50, neighbours.Index.SlotsOf(id).Length));
        Assert.True(Evaluator.Accuracy(learner, SplitMnist.Test(0)) > 0.95);
        foreach (var slot in neighbours.Index.SlotsOf(0).OrderDescending()) neighbours.Index.Remove(slot);
        var (_, predicted) = learner.PredictAll(SplitMnist.Test(0));
        Assert.DoesNotContain(0, predicted);
    }

    [Fact]
    public void The_vote_is_shared_with_the_model_as_lambda_says()
    {
        using var scope = NewDisposeScope();
        using var learner = new Learner(
            () => new ContinualModel(new RawInputs(2)), null, [new NearestNeighbours(new NeighbourOptions { K = 3, Lambda = 0.25, Temperature = 2 })]);
        float[] points = [0, 0, 1, 0, 3, 0];
        learner.Teach(new Experience(0, TensorSource.OfClasses(tensor(points).view(3, 2), [0, 1, 1], Label.Numbers(0, 2))));
        var query = tensor(new[] { 0.5f, 1 }).view(1, 2);
        var model = TinyProblem.Values(learner.Context.Model.forward(query).softmax(1).detach()[0]);
        double[] votes = [1, 1 + Math.Exp(-(7.25 - 1.25) / 2)];
        var expected = votes.Select((vote, c) => Math.Log((0.25 * vote / votes.Sum()) + (0.75 * model[c]))).ToArray();
        TinyProblem.AssertClose(expected, TinyProblem.Values(learner.Scores(query)[0]), 1e-5);
    }
}
