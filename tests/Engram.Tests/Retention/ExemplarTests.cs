using Engram.Data;
using Engram.Learning;
using Engram.Memory;
using Engram.Retention;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class ExemplarTests
{
    private static Tensor Bytes(params byte[] values) => tensor(values).view(values.Length, 1);

    [Fact]
    public void Reducing_keeps_the_first_exemplars_of_every_class()
    {
        using var scope = NewDisposeScope();
        using var set = new ExemplarSet();
        set.Update(4, new Dictionary<int, Tensor> { [1] = Bytes(10, 11, 12, 13, 14), [0] = Bytes(1, 2, 3) });
        Assert.Equal([(0, 3), (1, 4)], set.Classes);
        set.Update(2, new Dictionary<int, Tensor> { [2] = Bytes(20, 21, 22) });
        Assert.Equal([(0, 2), (1, 2), (2, 2)], set.Classes);
        Assert.Equal(6, set.Bytes);
        var state = new MechanismState();
        set.Save(state, "kept");
        Assert.Equal(new byte[] { 1, 2, 10, 11, 20, 21 }, state.Tensors["kept.raw"].data<byte>().ToArray());
        using var copy = new ExemplarSet();
        copy.Load(state, "kept", 10);
        Assert.Equal(set.Classes, copy.Classes);
    }

    [Fact]
    public void A_thousand_digits_take_less_than_a_megabyte_and_the_share_of_each_class_shrinks()
    {
        var icarl = new Icarl();
        using var learner = SplitMnist.Learner([icarl], width: 16);
        learner.Learn(SplitMnist.Experience(0, 600));
        Assert.Equal([(0, 500), (1, 500)], icarl.Exemplars.Classes);
        learner.Learn(SplitMnist.Experience(1, 600));
        Assert.Equal([(0, 250), (1, 250), (2, 250), (3, 250)], icarl.Exemplars.Classes);
        Assert.Equal(784_000, icarl.Exemplars.Bytes);
        Assert.InRange(icarl.MemoryBytes, 784_000, 1_000_000);
    }

    [Fact]
    public void The_exemplars_kept_are_those_that_herding_takes_first()
    {
        using var scope = NewDisposeScope();
        var icarl = new Icarl(new ExemplarOptions { PerClass = 5 });
        using var learner = SplitMnist.Learner([icarl], width: 16);
        var experience = SplitMnist.Experience(0, 40);
        learner.Learn(experience);
        var zeros = SubsetSource.WithLabels(experience.Train, [0]);
        var raw = zeros.Gather([.. Enumerable.Range(0, zeros.Count).Select(i => (long)i)]).Inputs;
        double[][] features;
        using (no_grad())
        {
            var all = learner.Context.Model.Backbone.forward(learner.Context.Model.Scaling.Apply(raw));
            var flat = all.data<float>().Select(x => (double)x).ToArray();
            features = [.. flat.Chunk((int)all.shape[1])];
        }
        foreach (var f in features)
        {
            var norm = Math.Sqrt(f.Sum(x => x * x));
            for (var d = 0; d < f.Length; d++) f[d] /= norm;
        }
        // Algorithm 4: each exemplar brings the mean of those chosen nearest to the class mean.
        var width = features[0].Length;
        var mean = Enumerable.Range(0, width).Select(d => features.Average(f => f[d])).ToArray();
        var (sum, chosen) = (new double[width], new List<int>());
        for (var k = 1; k <= 5; k++)
        {
            var best = Enumerable.Range(0, features.Length).Except(chosen).MinBy(i =>
                Enumerable.Range(0, width).Sum(d => Math.Pow(mean[d] - ((sum[d] + features[i][d]) / k), 2)));
            chosen.Add(best);
            for (var d = 0; d < width; d++) sum[d] += features[best][d];
        }
        var state = new MechanismState();
        icarl.Save(state);
        var kept = state.Tensors["exemplars.raw"].narrow(0, 0, 5);
        Assert.True(kept.equal(raw.index_select(0, tensor(chosen.Select(i => (long)i).ToArray()))).all().item<bool>());
    }

    [Fact]
    public void The_gradient_of_icarl_is_that_of_algorithm_3_in_float64()
    {
        static double Sigmoid(double z) => 1 / (1 + Math.Exp(-z));
        // −Σ_new [δ log g + (1 − δ) log(1 − g)] − Σ_old [q log g + (1 − q) log(1 − g)] has the gradient g − δ, and g − q.
        var check = new StepByHand(1, s => [.. s.Logits.Select((z, n) => z.Select((value, k) =>
            (Sigmoid(value) - (k < 2 ? Sigmoid(s.Teacher[n][k]) : s.Labels[n] == k ? 1 : 0)) / s.Count).ToArray())]);
        using var learner = SplitMnist.Learner([new Icarl(new ExemplarOptions { Capacity = 50 }), check], batch: 32, width: 16);
        learner.Study(SplitMnist.Experience(0, 64));
        learner.Study(SplitMnist.Experience(1, 64));
        Assert.True(check.Checked);
    }

    [Fact]
    public void Icarl_scores_are_minus_the_distances_to_normalised_means_of_exemplars()
    {
        using var scope = NewDisposeScope();
        var icarl = new Icarl(new ExemplarOptions { Capacity = 20 });
        using var learner = SplitMnist.Learner([icarl], width: 16);
        learner.Learn(SplitMnist.Experience(0, 64));
        learner.Learn(SplitMnist.Experience(1, 64));
        var state = new MechanismState();
        icarl.Save(state);
        double[][] Features(Tensor raw)
        {
            using var off = no_grad();
            var f = learner.Context.Model.Backbone.forward(learner.Context.Model.Scaling.Apply(raw));
            return [.. f.data<float>().Select(x => (double)x).ToArray().Chunk((int)f.shape[1]).Select(Unit)];
        }
        static double[] Unit(double[] v) => [.. v.Select(x => x / Math.Sqrt(v.Sum(u => u * u)))];
        var exemplars = Features(state.Tensors["exemplars.raw"]); // five of each of four classes
        var inputs = TestData.Mnist.Test.Inputs([0, 1, 2, 3]);
        var scores = learner.Scores(inputs).data<float>().ToArray();
        foreach (var (sample, n) in Features(inputs).Select((sample, n) => (sample, n)))
            for (var k = 0; k < 4; k++)
            {
                var members = exemplars[(5 * k)..(5 * (k + 1))];
                var mean = Unit([.. Enumerable.Range(0, sample.Length).Select(d => members.Average(e => e[d]))]);
                var distance = Math.Sqrt(sample.Zip(mean).Sum(p => Math.Pow(p.First - p.Second, 2)));
                Assert.Equal(-distance, scores[(4 * n) + k], 1e-3);
            }
    }

    [Fact]
    public void Memories_that_would_train_on_each_others_samples_are_refused()
    {
        string Refusal(Scenario scenario, params RetentionMechanism[] mechanisms) => Assert.Throws<ArgumentException>(
            () => SplitMnist.Learner(mechanisms, scenario, width: 8)).Message;
        Assert.Contains("icarl trains on exemplars of its own, expected no replay",
            Refusal(Scenario.ClassIncremental, new Icarl(), new Replay()));
        Assert.Contains("bic distils itself", Refusal(Scenario.ClassIncremental, new LearningWithoutForgetting(), new BiasCorrection()));
        Assert.Contains("il2m corrects the same bias", Refusal(Scenario.ClassIncremental, new WeightAligning(), new Il2m()));
        Assert.Contains("expected class-incremental", Refusal(Scenario.TaskIncremental, new Icarl()));
        Assert.Contains("expected class-incremental", Refusal(Scenario.DomainIncremental, new WeightAligning()));
        Assert.Contains("Capacity: 0, expected", Assert.Throws<ArgumentException>(
            () => new Icarl(new ExemplarOptions { Capacity = 0 })).Message);
    }

    [Fact]
    public void Icarl_learns_split_mnist_from_few_exemplars() =>
        Assert.InRange(SplitMnist.Accuracy(Scenario.ClassIncremental, 0, () => [new Icarl()], 2500), 0.78, 1);
}
