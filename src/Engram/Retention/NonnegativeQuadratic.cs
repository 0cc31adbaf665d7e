namespace Engram.Retention;

/// <summary>Solves min ½ vᵀPv + qᵀv subject to v ≥ m exactly, for a few dozen unknowns, in double precision.</summary>
/// <remarks>
/// The active-set method of Lawson and Hanson 1974, "Solving Least Squares Problems", chapter 23 (NNLS), written for a
/// Gram matrix as Bro and De Jong 1997 do. A ridge of 1e-12 of the largest diagonal element makes repeated rows harmless.
/// </remarks>
internal static class NonnegativeQuadratic
{
    /// <summary>The minimiser.</summary>
    /// <param name="p">P, symmetric positive semidefinite, <c>[n, n]</c>.</param>
    /// <param name="q">q, <c>[n]</c>.</param>
    /// <param name="margin">m, the lower bound of every unknown, 0 or more.</param>
    public static double[] Solve(double[,] p, double[] q, double margin)
    {
        var n = q.Length;
        var largest = Math.Max(Enumerable.Range(0, n).Max(i => p[i, i]), double.Epsilon);
        var matrix = (double[,])p.Clone();
        for (var i = 0; i < n; i++) matrix[i, i] += 1e-12 * largest;

        // With u = v − m ≥ 0 the linear term becomes q + P m.
        var linear = new double[n];
        for (var i = 0; i < n; i++)
            linear[i] = q[i] + margin * Enumerable.Range(0, n).Sum(j => p[i, j]);
        var u = new double[n];
        var free = new bool[n];
        var tolerance = 1e-12 * Math.Max(linear.Max(Math.Abs), double.Epsilon);
        for (var round = 0; round < 30 * (n + 1); round++)
        {
            var enter = MostNegativeSlope(matrix, linear, u, free, tolerance);
            if (enter < 0) break;
            free[enter] = true;
            Descend(matrix, linear, u, free);
        }
        return Array.ConvertAll(u, value => value + margin);
    }

    // The bound unknown whose increase lowers the objective fastest; −1 when the conditions of optimality hold.
    private static int MostNegativeSlope(double[,] p, double[] linear, double[] u, bool[] free, double tolerance)
    {
        var (best, steepest) = (-1, -tolerance);
        for (var i = 0; i < u.Length; i++)
        {
            if (free[i]) continue;
            var slope = linear[i];
            for (var j = 0; j < u.Length; j++) slope += p[i, j] * u[j];
            if (slope < steepest) (best, steepest) = (i, slope);
        }
        return best;
    }

    // Goes to the minimum over the free unknowns; those that would turn negative on the way are bound again.
    private static void Descend(double[,] p, double[] linear, double[] u, bool[] free)
    {
        while (true)
        {
            int[] set = [.. Enumerable.Range(0, u.Length).Where(i => free[i])];
            if (set.Length == 0) return;
            var target = SolveSymmetric(p, linear, set);
            var (step, binding) = (1.0, -1);
            for (var k = 0; k < set.Length; k++)
            {
                if (target[k] > 0) continue;
                var reach = u[set[k]] / (u[set[k]] - target[k]);
                if (binding < 0 || reach < step) (step, binding) = (reach, k);
            }
            for (var k = 0; k < set.Length; k++) u[set[k]] += step * (target[k] - u[set[k]]);
            if (binding < 0) return;
            for (var k = 0; k < set.Length; k++)
                if (k == binding || u[set[k]] <= 0) (u[set[k]], free[set[k]]) = (0, false);
        }
    }

    // P_SS x = −linear_S by Cholesky.
    private static double[] SolveSymmetric(double[,] p, double[] linear, int[] set)
    {
        var n = set.Length;
        var (l, x) = (new double[n, n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = p[set[i], set[j]];
                for (var k = 0; k < j; k++) sum -= l[i, k] * l[j, k];
                l[i, j] = i == j ? Math.Sqrt(Math.Max(sum, double.Epsilon)) : sum / l[j, j];
            }
        }
        for (var i = 0; i < n; i++)
        {
            x[i] = -linear[set[i]];
            for (var k = 0; k < i; k++) x[i] -= l[i, k] * x[k];
            x[i] /= l[i, i];
        }
        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++) x[i] -= l[k, i] * x[k];
            x[i] /= l[i, i];
        }
        return x;
    }
}
