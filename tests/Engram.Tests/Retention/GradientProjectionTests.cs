using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class GradientProjectionTests
{
    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(3, 0.0)]
    [InlineData(5, 0.5)]
    [InlineData(9, 0.0)]
    [InlineData(9, 0.5)]
    public void The_quadratic_program_agrees_with_trying_every_active_set(int unknowns, double margin)
    {
        var random = new SeededRandom(unknowns, "qp");
        for (var trial = 0; trial < 20; trial++)
        {
            var rows = Enumerable.Range(0, unknowns)
                .Select(_ => Enumerable.Range(0, 12).Select(_ => random.NextDouble() * 2 - 1).ToArray()).ToArray();
            var g = Enumerable.Range(0, 12).Select(_ => random.NextDouble() * 2 - 1).ToArray();
            var (p, q) = Program(rows, g);
            var expected = BruteForce(p, q, margin);
            var actual = NonnegativeQuadratic.Solve(p, q, margin);
            for (var i = 0; i < unknowns; i++) Assert.Equal(expected[i], actual[i], 1e-7);
        }
    }

    [Fact]
    public void The_quadratic_program_bears_repeated_and_zero_rows()
    {
        double[][] rows = [[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1]];
        double[] g = [-1, -0.5, 0.25];
        var (p, q) = Program(rows, g);
        var v = NonnegativeQuadratic.Solve(p, q, 0);
        var projected = Projected(rows, g, v);
        Assert.All(v, value => Assert.True(value >= 0 && double.IsFinite(value)));
        Assert.All(rows, row => Assert.True(row.Zip(projected, (a, b) => a * b).Sum() >= -1e-9));
        Assert.Equal([0, -0.375, 0.375], projected.Select(value => Math.Round(value, 9)));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    public void Gem_gives_the_gradient_of_the_brute_force_program(double strength)
    {
        var problems = Enumerable.Range(1, 4).Select(seed => new TinyProblem(seed)).ToArray();
        var (before, after) = (new Spy("before"), new Spy("after"));
        var gem = new GradientEpisodicMemory(new GemOptions { MemoryStrength = strength });
        using var learner = TinyProblem.Learner(6, before, gem, after);
        for (var e = 0; e < 4; e++) learner.Study(problems[e].Experience(e));
        var changed = 0;
        for (var s = 18; s < 24; s++) // the fourth experience: three memories, each of all samples of its experience
        {
            var (theta, g) = before.Steps[s];
            var rows = problems[..3].Select(problem => TinyProblem.Gradient(problem.MeanLoss, theta)).ToArray();
            var (p, q) = Program(rows, g);
            if (q.All(product => product >= 0))
            {
                Assert.Equal(g, after.Steps[s].Gradient);
                continue;
            }
            changed++;
            var expected = Projected(rows, g, BruteForce(p, q, strength));
            TinyProblem.AssertClose(expected, after.Steps[s].Gradient, 1e-4);
            if (strength == 0)
                Assert.All(rows, row => Assert.True(row.Zip(after.Steps[s].Gradient, (a, b) => a * b).Sum() > -1e-5));
        }
        Assert.True(changed > 0, "no gradient violated a memory: nothing is tested");
        Assert.True(gem.Projections >= changed);
    }

    [Fact]
    public void A_gem_subtracts_the_part_that_points_against_the_memory()
    {
        var problems = Enumerable.Range(1, 4).Select(seed => new TinyProblem(seed)).ToArray();
        var (before, after) = (new Spy("before"), new Spy("after"));
        using var learner = TinyProblem.Learner(
            6, before, new AveragedGradientEpisodicMemory(new AGemOptions { BatchSize = 1000 }), after);
        for (var e = 0; e < 4; e++) learner.Study(problems[e].Experience(e));
        var changed = 0;
        for (var s = 6; s < 24; s++)
        {
            var (theta, g) = before.Steps[s];
            var reference = TinyProblem.Gradient(t => problems[..(s / 6)].Average(problem => problem.MeanLoss(t)), theta);
            var product = g.Zip(reference, (a, b) => a * b).Sum();
            var share = Math.Min(product, 0) / reference.Sum(value => value * value);
            if (share < 0) changed++;
            TinyProblem.AssertClose([.. g.Zip(reference, (a, b) => a - share * b)], after.Steps[s].Gradient, 1e-5);
        }
        Assert.True(changed > 0, "no gradient violated the memory: nothing is tested");
    }

    [Fact]
    public void Gem_memories_take_one_pass_or_many_with_the_same_result()
    {
        double[] Learnt(bool hidden)
        {
            using var learner = new Learner(
                () => new ContinualModel(hidden ? new Mlp(784, 30) : new Unheard(784, 30)),
                new LearnerOptions { BatchSize = 32, Seed = 5 }, [new GradientEpisodicMemory(new GemOptions { PerExperience = 20 })]);
            var pool = SubsetSource.Balanced(TestData.Mnist.Train, 60);
            for (var e = 0; e < 3; e++)
                learner.Study(new Experience(e, SubsetSource.WithLabels(pool, Label.Numbers(2 * e, 2))));
            return TinyProblem.Values(learner.Context.Arena.Values);
        }
        TinyProblem.AssertClose(Learnt(true), Learnt(false), 1e-3);
    }

    [Fact]
    public void Gem_owns_bytes_and_counts_them()
    {
        var gem = new GradientEpisodicMemory(new GemOptions { PerExperience = 256 });
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 20)), new LearnerOptions { BatchSize = 128 }, [gem]);
        var pool = SubsetSource.Balanced(TestData.Mnist.Train, 200);
        for (var e = 0; e < 2; e++)
            learner.Study(new Experience(e, SubsetSource.WithLabels(pool, Label.Numbers(2 * e, 2))));
        Assert.Equal([256, 256], gem.Counts);
        Assert.Equal(512 * (784 + 8), gem.MemoryBytes);
    }

    // P = GGᵀ and q = Gg.
    private static (double[,] P, double[] Q) Program(double[][] rows, double[] g)
    {
        var n = rows.Length;
        var p = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) p[i, j] = rows[i].Zip(rows[j], (a, b) => a * b).Sum();
        return (p, [.. rows.Select(row => row.Zip(g, (a, b) => a * b).Sum())]);
    }

    private static double[] Projected(double[][] rows, double[] g, double[] v) =>
        [.. g.Select((value, k) => value + rows.Select((row, i) => v[i] * row[k]).Sum())];

    // The best feasible stationary point over all 2ⁿ choices of unknowns held at the margin.
    private static double[] BruteForce(double[,] p, double[] q, double margin)
    {
        var n = q.Length;
        var (best, bestValue) = (Array.Empty<double>(), double.PositiveInfinity);
        for (var mask = 0; mask < 1 << n; mask++)
        {
            int[] free = [.. Enumerable.Range(0, n).Where(i => (mask >> i & 1) == 1)];
            var v = Enumerable.Repeat(margin, n).ToArray();
            var system = new double[free.Length, free.Length + 1];
            for (var a = 0; a < free.Length; a++)
            {
                for (var b = 0; b < free.Length; b++) system[a, b] = p[free[a], free[b]];
                system[a, free.Length] = -q[free[a]]
                    - Enumerable.Range(0, n).Except(free).Sum(j => p[free[a], j] * margin);
            }
            var solution = Eliminate(system);
            for (var a = 0; a < free.Length; a++) v[free[a]] = solution[a];
            if (v.Any(value => value < margin - 1e-12)) continue;
            var value = 0.0;
            for (var i = 0; i < n; i++)
            {
                value += q[i] * v[i];
                for (var j = 0; j < n; j++) value += 0.5 * v[i] * p[i, j] * v[j];
            }
            if (value < bestValue) (best, bestValue) = (v, value);
        }
        return best;
    }

    private static double[] Eliminate(double[,] system)
    {
        var n = system.GetLength(0);
        for (var column = 0; column < n; column++)
        {
            var pivot = Enumerable.Range(column, n - column).MaxBy(row => Math.Abs(system[row, column]));
            for (var k = 0; k <= n; k++)
                (system[column, k], system[pivot, k]) = (system[pivot, k], system[column, k]);
            for (var row = 0; row < n; row++)
            {
                if (row == column) continue;
                var factor = system[row, column] / system[column, column];
                for (var k = column; k <= n; k++) system[row, k] -= factor * system[column, k];
            }
        }
        return [.. Enumerable.Range(0, n).Select(i => system[i, n] / system[i, i])];
    }

    /// <summary>The same network, but run so that its layers cannot be listened to.</summary>
    private sealed class Unheard : Backbone
    {
        private readonly TorchSharp.Modules.Linear _layer;

        public Unheard(int inputs, int width) : base("mlp", width)
        {
            _layer = nn.Linear(inputs, width);
            register_module("fc1", _layer);
        }

        public override string Architecture => "test";

        public override Tensor forward(Tensor input) => _layer.forward(input.flatten(1)).relu_();
    }
}
